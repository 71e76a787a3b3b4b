#include "parkd/service/message_text.h"

#include <algorithm>
#include <array>

namespace callpark {
namespace {

struct Phrases {
  std::string_view language;
  std::string_view withheld;  // instead of a withheld identity
  std::string_view parked;
  std::string_view retrieved;
  std::string_view gave_up;
  std::string_view recalled;
  std::string_view timed_out;
};

// No full stop follows the number to dial: phones make a link of it.
constexpr std::array kPhrases = {
    Phrases{"en", "Withheld number", "Parked at {orbit}: {caller}. To pick up, dial {dial}",
            "{caller}, parked at {orbit}, was picked up by {by}.", "{caller}, parked at {orbit}, has hung up.",
            "Nobody picked up {caller}, parked at {orbit}. The call was taken by {by}.",
            "Nobody picked up {caller}, parked at {orbit}. The call was ended."},
    Phrases{"es", "Número oculto", "Llamada aparcada en {orbit}: {caller}. Para recuperarla, marque {dial}",
            "{caller}, en espera en {orbit}: la llamada la ha recuperado {by}.",
            "{caller}, en espera en {orbit}: ha colgado.",
            "Nadie recuperó la llamada de {caller} en {orbit}. La ha atendido {by}.",
            "Nadie recuperó la llamada de {caller} en {orbit}. La llamada ha terminado."},
    Phrases{"fr", "Numéro masqué", "Appel parqué au {orbit} : {caller}. Pour le reprendre, composez le {dial}",
            "{caller}, en attente au {orbit} : appel repris par le {by}.",
            "{caller}, en attente au {orbit} : l'appelant a raccroché.",
            "Personne n'a repris l'appel de {caller} au {orbit}. Il a été pris par le {by}.",
            "Personne n'a repris l'appel de {caller} au {orbit}. L'appel a été coupé."},
    Phrases{"it", "Numero nascosto", "Chiamata parcheggiata al {orbit}: {caller}. Per riprenderla, comporre {dial}",
            "{caller}, in attesa al {orbit}: chiamata ripresa da {by}.",
            "{caller}, in attesa al {orbit}: ha riagganciato.",
            "Nessuno ha ripreso la chiamata di {caller} al {orbit}. Ha risposto {by}.",
            "Nessuno ha ripreso la chiamata di {caller} al {orbit}. La chiamata è terminata."},
    Phrases{"ru", "Номер скрыт", "Вызов на парковке {orbit}: {caller}. Чтобы ответить, наберите {dial}",
            "Вызов от {caller} на парковке {orbit} принял номер {by}.",
            "Абонент {caller} на парковке {orbit} повесил трубку.",
            "Вызов от {caller} на парковке {orbit} никто не забрал. На него ответил номер {by}.",
            "Вызов от {caller} на парковке {orbit} никто не забрал. Вызов завершён."},
};

const Phrases& phrases_in(std::string_view language) {
  const auto found = std::find_if(kPhrases.begin(), kPhrases.end(), [&](const Phrases& phrases) {
    return language.substr(0, language.find('_')) == phrases.language;
  });
  return found == kPhrases.end() ? kPhrases.front() : *found;
}

std::string_view phrase_for(const ParkEvent& event, const Phrases& phrases) {
  switch (event.kind) {
    case ParkEventKind::kParked:
      return phrases.parked;
    case ParkEventKind::kRetrieved:
      return phrases.retrieved;
    case ParkEventKind::kGaveUp:
      return phrases.gave_up;
    case ParkEventKind::kRecalled:
      return phrases.recalled;
    case ParkEventKind::kEnded:
      return event.how == "timed_out" ? phrases.timed_out : std::string_view{};
  }
  return {};
}

std::string shown(const PartyIdentity& caller, const Phrases& phrases) {
  if (caller.name.empty() && caller.number.empty()) return std::string(phrases.withheld);
  if (caller.name.empty() || caller.name == caller.number) return caller.number;
  return caller.number.empty() ? caller.name : caller.name + " " + caller.number;
}

std::string without_control_characters(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

std::string message_text(const ParkEvent& event, const std::string& dialled, std::string_view language) {
  const Phrases& phrases = phrases_in(language);
  std::string text;
  // In one pass: the caller's name is never read as a placeholder.
  for (std::string_view rest = phrase_for(event, phrases); !rest.empty();) {
    const std::size_t open = rest.find('{');
    text += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = rest.find('}', open);
    const std::string_view place = rest.substr(open + 1, close - open - 1);
    text += place == "caller"  ? shown(event.caller, phrases)
            : place == "orbit" ? event.orbit
            : place == "dial"  ? dialled
                               : event.by;
    rest.remove_prefix(close + 1);
  }
  return without_control_characters(std::move(text));
}

}  // namespace callpark
