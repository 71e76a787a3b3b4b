// Whatever happens, at whatever moment: each request gets an answer, no party is left alone in a call, and nothing is
// left when all have hung up. First each single disturbance at each single moment, then anything in any order.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/unit/parkd/service/park_world.h"

namespace callpark {
namespace {

constexpr Duration kUntilRecall{9995};  // what is left of the 10 s when all has settled

void pass(ParkWorld& world, Duration duration) {
  test::pass(world.loop, duration);
}

void park_with_recall(ParkWorld& world) {
  world.store.recall = {.mode = park::RecallMode::kParkerOnly,
                        .after_seconds = 10,
                        .ring_seconds = 5,
                        .retry_seconds = 2,
                        .attempts_max = 2,
                        .alert_ring_group_wait_seconds = 5,
                        .ring_group = "",
                        .fallback_destination = "104"};
  world.park();
}

struct Scene {
  const char* name;
  std::function<void(ParkWorld&)> before;
  std::function<void(ParkWorld&)> act;
};

const std::vector<Scene>& scenes() {
  static const std::vector<Scene> kScenes{
      {"park by REFER", [](ParkWorld&) {}, [](ParkWorld& world) { world.refer(); }},
      {"park by held call", [](ParkWorld&) {}, [](ParkWorld& world) { world.dial_with_held("101", "*70333"); }},
      {"retrieve", [](ParkWorld& world) { world.park(); }, [](ParkWorld& world) { world.dial("102", "*88101"); }},
      {"retrieve while the parker listens",
       [](ParkWorld& world) {
         world.dial_with_held("101", "*70333");
         world.settle();
       },
       [](ParkWorld& world) { world.dial("102", "*71333"); }},
      {"park again by REFER", [](ParkWorld& world) { world.retrieve(); },
       [](ParkWorld& world) { world.refer_of_peer(world.only_park(), "102", "*68103"); }},
      {"park again by held call", [](ParkWorld& world) { ParkWorld::hold(*world.conversation(world.retrieve()).peer); },
       [](ParkWorld& world) { world.dial("102", "*70333"); }},
      {"attended transfer to a code",
       [](ParkWorld& world) {
         world.dial_with_held("101", "*70333");
         world.settle();
       },
       [](ParkWorld& world) { world.refer_of_peer(world.only_park(), "101", "*70333"); }},
      {"transfer", [](ParkWorld& world) { world.retrieve(); },
       [](ParkWorld& world) { world.refer_of_peer(world.only_park(), "102", "104"); }},
      {"transfer to a talk", [](ParkWorld& world) { world.retrieve(); },
       [](ParkWorld& world) { world.take_place(world.only_park(), "104"); }},
      {"transfer to a talk while the parker listens",
       [](ParkWorld& world) {
         world.dial_with_held("101", "*70333");
         world.settle();
         world.dial("102", "*71333");
         world.settle();
       },
       [](ParkWorld& world) { world.take_place(world.only_park(), "104"); }},
      {"recall of the parker", park_with_recall, [](ParkWorld& world) { pass(world, kUntilRecall); }},
      {"recall of a busy parker, then of the fallback",
       [](ParkWorld& world) {
         world.phones.status_of["101"] = 486;
         park_with_recall(world);
       },
       [](ParkWorld& world) { pass(world, kUntilRecall); }},
      {"recall of a parker that does not answer",
       [](ParkWorld& world) {
         world.phones.target_status = 0;
         park_with_recall(world);
       },
       [](ParkWorld& world) { pass(world, kUntilRecall); }},
      {"call to a menu", [](ParkWorld&) {}, [](ParkWorld& world) { world.dial("105", "400"); }},
      {"destination of a menu", [](ParkWorld& world) { world.dial_and_settle("105", "400"); },
       [](ParkWorld& world) { world.press("2"); }},
      {"destination of a menu that does not answer",
       [](ParkWorld& world) {
         world.phones.target_status = 0;
         world.dial_and_settle("", "400");
       },
       [](ParkWorld& world) { world.press("2"); }},
      {"menu in a menu", [](ParkWorld& world) { world.dial_and_settle("105", "400"); },
       [](ParkWorld& world) { world.press("3#9"); }},
      {"announcement that passes the caller on", [](ParkWorld& world) { world.dial_and_settle("", "500"); },
       [](ParkWorld& world) { world.media.play_out(); }},
  };
  return kScenes;
}

void hang_up(ParkWorld& world, PartyEnd end) {
  if (!world.phones.conversations.empty()) {
    world.phones.hang_up(ConversationId(world.phones.conversations.begin()->first), end);
  }
}

struct Disturbance {
  const char* name;
  std::function<void(ParkWorld&)> happen;
};

const std::vector<Disturbance>& disturbances() {
  static const std::vector<Disturbance> kDisturbances{
      {"nothing", [](ParkWorld&) {}},
      {"the caller hangs up", [](ParkWorld& world) { hang_up(world, PartyEnd::kCaller); }},
      {"the peer hangs up", [](ParkWorld& world) { hang_up(world, PartyEnd::kPeer); }},
      {"both hang up",
       [](ParkWorld& world) {
         hang_up(world, PartyEnd::kPeer);
         hang_up(world, PartyEnd::kCaller);
       }},
      {"the feature call is hung up",
       [](ParkWorld& world) {
         if (!world.phones.calls.empty()) world.phones.end_call(world.phones.calls.rbegin()->first);
       }},
      {"the first feature call is hung up",
       [](ParkWorld& world) {
         if (!world.phones.calls.empty()) world.phones.end_call(world.phones.calls.begin()->first);
       }},
      {"the database goes", [](ParkWorld& world) { world.store.is_away = true; }},
      {"mediad goes", [](ParkWorld& world) { world.media.is_away = true; }},
      {"mediad moves the music",
       [](ParkWorld& world) {
         if (!world.media.sessions.empty()) world.media.move(std::string(world.media.sessions.begin()->first));
       }},
      {"the caller refuses from now on",
       [](ParkWorld& world) { world.phones.caller_reply = FakePhones::Reply::kRefuse; }},
      {"the caller is away from now on",
       [](ParkWorld& world) { world.phones.caller_reply = FakePhones::Reply::kGone; }},
      {"no phone sends an ACK", [](ParkWorld& world) { world.phones.retrievers_acknowledge = false; }},
      {"the target is busy", [](ParkWorld& world) { world.phones.target_status = 486; }},
      {"the target hangs up",
       [](ParkWorld& world) {
         if (!world.phones.conversations.empty()) {
           world.phones.hang_up_target(world.phones.conversations.begin()->first);
         }
       }},
      {"another retrieves", [](ParkWorld& world) { world.dial("105", "*88101"); }},
      {"another retrieves elsewhere", [](ParkWorld& world) { world.dial("105", "*71333"); }},
      {"another call is parked at the same orbit", [](ParkWorld& world) { world.refer("101", "*68"); }},
      {"the announcements end", [](ParkWorld& world) { world.media.play_out(); }},
      {"a minute passes", [](ParkWorld& world) { test::pass(world.loop, std::chrono::minutes(1)); }},
      {"parkd is killed", [](ParkWorld& world) { world.restart(); }},
  };
  return kDisturbances;
}

class ParkMomentsTest : public testing::TestWithParam<std::size_t> {
 protected:
  static void disturb_each_moment(const std::string& kind, const std::function<void(ParkWorld&)>& prepare);
};

void ParkMomentsTest::disturb_each_moment(const std::string& kind, const std::function<void(ParkWorld&)>& prepare) {
  const Scene& scene = scenes()[GetParam()];
  for (const Disturbance& disturbance : disturbances()) {
    bool is_over = false;
    for (int moment = 0; !is_over; ++moment) {
      SCOPED_TRACE(kind + scene.name + ", at moment " + std::to_string(moment) + " " + disturbance.name);
      ParkWorld world;
      prepare(world);
      scene.before(world);
      scene.act(world);
      for (int step = 0; step < moment; ++step) is_over = !world.steps.next();
      disturbance.happen(world);
      world.settle();
      world.pass(std::chrono::seconds(40));
      world.phones.caller_reply = FakePhones::Reply::kAccept;
      world.end_all();
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST_P(ParkMomentsTest, NothingIsLeftWhateverHappensMeanwhile) {
  disturb_each_moment("", [](ParkWorld&) {});
}

TEST_P(ParkMomentsTest, B3_NothingIsLeftWhateverHappensWhileTheBillingSystemIsAsked) {
  disturb_each_moment("with a billing system: ", [](ParkWorld& world) { world.begin_billing(); });
}

INSTANTIATE_TEST_SUITE_P(Of, ParkMomentsTest, testing::Range(std::size_t{0}, scenes().size()));

// ---- anything in any order ----

class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : random_(seed) {}

  void run(ParkWorld& world) {
    world.store.recall.mode = static_cast<park::RecallMode>(pick(4));
    world.store.recall.after_seconds = 1 + static_cast<int>(pick(10));
    world.store.recall.ring_seconds = 1 + static_cast<int>(pick(10));
    world.store.recall.retry_seconds = 1 + static_cast<int>(pick(5));
    world.store.recall.attempts_max = static_cast<int>(pick(4));
    world.store.recall.alert_ring_group_wait_seconds = 1 + static_cast<int>(pick(10));
    world.store.recall.ring_group = "106";
    world.store.recall.fallback_destination = pick(2) == 0 ? "104" : "";
    if (pick(2) == 0) {
      world.begin_billing();
      world.billing.decides = [this]() -> BillingVerdict {
        if (pick(4) == 0) return BillingDenied{402, "Insufficient funds", "not_permitted", pick(2) == 0 ? "text" : ""};
        return BillingPermitted{{pick(2) == 0 ? std::optional(10) : std::nullopt, "Client", ""},
                                pick(4) == 0 ? "timeout" : ""};
      };
    }
    for (int act = 0; act < 60 && !testing::Test::HasFailure(); ++act) {
      do_something(world);
      for (std::size_t steps = pick(6); steps > 0; --steps) world.steps.next_of_any(random_);
    }
    world.phones.caller_reply = FakePhones::Reply::kAccept;
    world.end_all();
  }

 private:
  std::size_t pick(std::size_t bound) { return random_() % bound; }
  template <class C>
  auto any_of(C& all) {
    return std::next(all.begin(), static_cast<std::ptrdiff_t>(pick(all.size())));
  }
  void hold_or_resume(FakePhones::Conversation& conversation) {
    if (conversation.peer) conversation.peer->holds = pick(2) == 0;
  }
  std::string user() { return "10" + std::to_string(1 + pick(6)); }

  void do_something(ParkWorld& world) {
    static const std::vector<std::string> kCodes{"*68",    "*68101", "*70", "*70333", "*88", "*88101",
                                                 "*71333", "104",    "*7",  "400",    "500"};
    auto& conversations = world.phones.conversations;
    auto& calls = world.phones.calls;
    const std::size_t what = pick(25);
    if (what <= 8 && !world.is_ready) return;
    switch (what) {
      case 0:
      case 1:
        world.refer(user(), kCodes[pick(kCodes.size())]);
        return;
      case 2:
      case 3:
        world.dial_with_held(user(), kCodes[pick(kCodes.size())]);
        return;
      case 4:
      case 5:
      case 6:
        world.dial(user(), kCodes[pick(kCodes.size())]);
        return;
      case 7:
      case 8:
        if (conversations.empty()) return;
        world.refer_in(any_of(conversations)->first, PartyEnd::kPeer,
                       world.phones.referral(user(), kCodes[pick(kCodes.size())]));
        return;
      case 9:
        if (!conversations.empty())
          world.phones.hang_up(ConversationId(any_of(conversations)->first), PartyEnd::kCaller);
        return;
      case 10:
        if (!conversations.empty()) world.phones.hang_up(ConversationId(any_of(conversations)->first), PartyEnd::kPeer);
        return;
      case 11:
        if (!calls.empty()) world.phones.end_call(any_of(calls)->first);
        return;
      case 12:
        if (!conversations.empty()) hold_or_resume(any_of(conversations)->second);
        return;
      case 13:
        world.media.play_out();
        return;
      case 14:
        if (!world.media.sessions.empty()) world.media.move(std::string(any_of(world.media.sessions)->first));
        return;
      case 15:
        world.media.is_away = pick(3) == 0;
        return;
      case 16:
        if (pick(3) == 0) {
          world.store.is_away = true;
        } else {
          world.store.come_back();
        }
        return;
      case 17:
        world.phones.caller_reply = std::vector{FakePhones::Reply::kAccept, FakePhones::Reply::kAccept,
                                                FakePhones::Reply::kRefuse, FakePhones::Reply::kGone}[pick(4)];
        return;
      case 18:
        world.phones.target_status = std::vector{200, 200, 486, 0}[pick(4)];
        world.phones.retrievers_acknowledge = pick(4) != 0;
        world.phones.callers_have_codec = pick(6) != 0;
        return;
      case 19:
        test::pass(world.loop, Duration(pick(15'000)));
        return;
      case 20:
        if (pick(4) != 0) return;
        world.kill();
        world.recover();
        return;
      case 21:
        if (!conversations.empty()) world.phones.hang_up_target(any_of(conversations)->first);
        return;
      case 22:
        if (world.is_ready && !conversations.empty()) world.take_place(any_of(conversations)->first, user());
        return;
      case 23:
      case 24:
        if (world.is_ready) world.press(std::string(1, "0123459*#"[pick(9)]));
        return;
      default:
        return;
    }
  }
  std::mt19937_64 random_;
};

#ifdef CALLPARK_SANITIZED
constexpr int kRuns = 400;
#else
constexpr int kRuns = 3000;
#endif

TEST(ParkChaosTest, NothingIsLeftWhateverHappensInWhateverOrder) {
  const char* wanted = std::getenv("CALLPARK_SEED");
  const std::uint64_t first = wanted ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
  const int runs = wanted ? 1 : kRuns;
  std::printf("seeds %llu and the %d after it; CALLPARK_SEED repeats one\n", static_cast<unsigned long long>(first),
              runs - 1);
  for (int run = 0; run < runs; ++run) {
    const std::uint64_t seed = first + static_cast<std::uint64_t>(run);
    SCOPED_TRACE("CALLPARK_SEED=" + std::to_string(seed));
    ParkWorld world;
    Chaos(seed).run(world);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace callpark
