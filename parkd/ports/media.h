// mediad, as the service sees it: sessions that play music or announcements.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "parkd/call/media.h"

namespace callpark {

struct Silence {};
struct Music {
  std::string music_class;  // "": a ringback tone
};
/// Prompts and digits, in a language; ends by itself.
struct Announcement {
  struct Prompt {
    std::string name;
  };
  struct Digits {
    std::string digits;
  };
  std::string language;
  std::vector<std::variant<Prompt, Digits>> list;
};
using Play = std::variant<Silence, Music, Announcement>;

struct MediaUnavailable {};

/// A session that was opened stays until it is closed: after a restart of mediad the adapter opens it again on its
/// port, and reports on_media_moved() only if it got another one. Loop's thread only.
class Media {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    /// A sound of the session's announcement is missing or damaged; `sentence` names it with the reason. Reported
    /// before on_media_played() of that announcement; its other sounds have been spoken.
    virtual void on_media_fault(const std::string& /*session*/, const std::string& /*sentence*/) {}
    virtual void on_media_played(const std::string& session) = 0;
    virtual void on_media_moved(const std::string& session, const MediaSnapshot& now) = 0;
    /// The party has pressed a key (RFC 4733): 0 to 9, '*', '#', A to D.
    virtual void on_media_key(const std::string& session, char key) = 0;
  };
  using Opened = std::function<void(Result<MediaSnapshot, MediaUnavailable>)>;

  /// The name under which an announcement plays the text; or a sentence with the reason why it cannot be spoken.
  using TextPrepared = std::function<void(Result<std::string, std::string>)>;

  virtual ~Media() = default;
  virtual void set_listener(Listener* listener) = 0;
  /// Opens a session that sends nothing until connect(). `again`: the session as an earlier parkd had it.
  virtual void open(std::string session, Play play, std::optional<MediaSnapshot> again, Opened answer) = 0;
  virtual void connect(const std::string& session, const MediaRemote& remote) = 0;
  virtual void play(const std::string& session, Play play) = 0;
  /// Also one that an earlier parkd has opened.
  virtual void close(const std::string& session) = 0;
  /// Has a text spoken into a sound file, unless that is there already; `text` has 1 to 1000 bytes of UTF-8. The answer
  /// comes once, never from within the call.
  virtual void prepare_text(const std::string& language, const std::string& text, TextPrepared answer) = 0;
};

}  // namespace callpark
