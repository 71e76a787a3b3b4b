#include "parkd/presence/publication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <set>
#include <string>

namespace callpark::presence::publication {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Action publish(Serial serial, std::string etag = "") {
  return Publish{serial, std::move(etag)};
}

// Handles one event after the other.
struct Machine {
  Publication state;
  std::vector<Action> handle(const Event& event) {
    Decision decision = decide(state, event);
    state = decision.next;
    return decision.actions;
  }
  void light(Serial serial, const std::string& etag) {
    handle(Wanted{serial, true});
    handle(Found{});
    handle(Accepted{etag});
  }
};

TEST(Publication, N1_ANewOneIsPublishedWithoutEtagWhenTheTableHasNone) {
  Machine machine;
  EXPECT_THAT(machine.handle(Wanted{1, true}), ElementsAre(Action(AskTable{})));
  EXPECT_THAT(machine.handle(Found{}), ElementsAre(publish(1)));
  EXPECT_THAT(machine.handle(Accepted{"a"}), ElementsAre(Action(StartRefresh{})));
  EXPECT_EQ(machine.state.published, 1U);
}

TEST(Publication, N5_ANewParkdCarriesOnThePublicationOfTheTable) {
  Machine machine;
  machine.handle(Wanted{1, true});
  EXPECT_THAT(machine.handle(Found{"old"}), ElementsAre(publish(1, "old")));
}

TEST(Publication, N1_TheEndIsToldByTheSamePublication) {
  Machine machine;
  machine.light(1, "a");
  EXPECT_THAT(machine.handle(Wanted{2, false}), ElementsAre(Action(StopRefresh{}), publish(2, "a")));
  EXPECT_THAT(machine.handle(Accepted{"b"}), IsEmpty());
  EXPECT_TRUE(is_over(machine.state));
}

TEST(Publication, N5_AfterAnEndTheNextParkIsANewPublication) {
  Machine machine;
  machine.light(1, "a");
  machine.handle(Wanted{2, false});
  machine.handle(Accepted{"b"});
  EXPECT_THAT(machine.handle(Wanted{3, true}), ElementsAre(Action(AskTable{})));
  EXPECT_THAT(machine.handle(Found{}), ElementsAre(publish(3)));
}

TEST(Publication, N1_StatesThatComeWhileOneIsUnderWayAreTheLastOneOnly) {
  Machine machine;
  machine.handle(Wanted{1, true});
  machine.handle(Found{});
  EXPECT_THAT(machine.handle(Wanted{2, false}), IsEmpty());
  EXPECT_THAT(machine.handle(Wanted{3, true}), IsEmpty());
  EXPECT_THAT(machine.handle(Accepted{"a"}), ElementsAre(publish(3, "a")));
}

TEST(Publication, N5_AnEtagThatKamailioDoesNotKnowIsAskedForAtOnceAndThenWithPatience) {
  Machine machine;
  machine.light(1, "a");
  machine.handle(Wanted{2, false});
  EXPECT_THAT(machine.handle(Refused{Refusal::kUnknownEtag}), ElementsAre(Action(AskTable{})));
  EXPECT_THAT(machine.handle(Found{"b"}), ElementsAre(publish(2, "b")));
  EXPECT_THAT(machine.handle(Refused{Refusal::kUnknownEtag}), ElementsAre(Action(StartRetry{2})));
}

TEST(Publication, N5_WhatFailedIsTriedAgainAndTheTableIsAskedWhetherItWasDone) {
  Machine machine;
  machine.handle(Wanted{1, true});
  machine.handle(Found{});
  EXPECT_THAT(machine.handle(Refused{Refusal::kFailed}), ElementsAre(Action(StartRetry{1})));
  EXPECT_THAT(machine.handle(Wanted{2, true}), IsEmpty());
  EXPECT_THAT(machine.handle(RetryDue{}), ElementsAre(Action(AskTable{})));
  EXPECT_THAT(machine.handle(NotAnswered{}), ElementsAre(Action(StartRetry{2})));
  machine.handle(RetryDue{});
  EXPECT_THAT(machine.handle(Found{"done"}), ElementsAre(publish(2, "done")));
  EXPECT_THAT(machine.handle(Accepted{"next"}), ElementsAre(Action(StartRefresh{})));
  EXPECT_EQ(machine.state.failures, 0U);
}

TEST(Publication, N5_ALitOneIsRefreshedADarkOneIsNot) {
  Machine machine;
  machine.light(1, "a");
  EXPECT_THAT(machine.handle(RefreshDue{}), ElementsAre(publish(1, "a")));
  EXPECT_THAT(machine.handle(Accepted{"b"}), ElementsAre(Action(StartRefresh{})));
  machine.handle(Wanted{2, false});
  machine.handle(Accepted{"c"});
  EXPECT_THAT(machine.handle(RefreshDue{}), IsEmpty());
}

TEST(Publication, N5_ADoubtedOneIsToldAgain) {
  Machine machine;
  machine.light(1, "a");
  EXPECT_THAT(machine.handle(Doubted{}), ElementsAre(Action(StopRefresh{}), Action(AskTable{})));
  EXPECT_THAT(machine.handle(Found{}), ElementsAre(publish(1)));
}

TEST(Publication, N5_ADarkOneThatTheTableShowsLitIsPutOut) {
  Machine machine;
  EXPECT_THAT(machine.handle(Wanted{1, false}), ElementsAre(Action(AskTable{})));
  EXPECT_THAT(machine.handle(Found{"stale"}), ElementsAre(publish(1, "stale")));
}

TEST(Publication, ADarkOneOfWhichNothingIsLitIsOver) {
  Machine machine;
  machine.handle(Wanted{1, false});
  EXPECT_THAT(machine.handle(Found{}), IsEmpty());
  EXPECT_TRUE(is_over(machine.state));
}

// ---- everything that can happen ----

TEST(Publication, N1_WhatNobodyWatchesIsRemovedFromTheTableAndNotPublished) {
  Machine machine;
  machine.light(1, "a");
  EXPECT_THAT(machine.handle(Forgotten{}), ElementsAre(Action(StopRefresh{}), Action(Remove{})));
  EXPECT_THAT(machine.handle(Removed{}), IsEmpty());
  EXPECT_TRUE(is_over(machine.state));
}

TEST(Publication, N1_WhatIsWatchedAgainWhileItIsRemovedIsPublishedAnew) {
  Machine machine;
  machine.light(1, "a");
  machine.handle(Forgotten{});
  EXPECT_THAT(machine.handle(Wanted{2, true}), IsEmpty());
  EXPECT_FALSE(is_settled(machine.state));
  EXPECT_THAT(machine.handle(Removed{}), ElementsAre(publish(2)));
  machine.handle(Accepted{"b"});
  EXPECT_TRUE(is_settled(machine.state));
  EXPECT_FALSE(is_over(machine.state));
}

TEST(Publication, N1_WhatIsForgottenDuringARequestIsRemovedAfterIt) {
  Machine machine;
  machine.handle(Wanted{1, true});
  machine.handle(Found{});
  EXPECT_THAT(machine.handle(Forgotten{}), IsEmpty());
  EXPECT_THAT(machine.handle(Accepted{"a"}), ElementsAre(Action(Remove{})));
  EXPECT_THAT(machine.handle(NotAnswered{}), ElementsAre(Action(StartRetry{1})));
  EXPECT_THAT(machine.handle(RetryDue{}), ElementsAre(Action(Remove{})));
}

// Kamailio with its table, as it was found to behave: a PUBLISH without etag makes a publication, one with the etag of
// a lit one changes it, one with the etag of an ended one is answered and ignored, any other is refused.
struct Server {
  std::string etag;  // of the lit one, or of the one that has ended
  bool is_lit = false;
  Serial shows = 0;
  int publications = 0;
  int last_etag = 0;

  std::string table() {
    if (is_lit) return etag;
    etag.clear();  // what has ended is removed
    publications = 0;
    return "";
  }
  // False: 412.
  bool take(const Publish& publish, bool lit) {
    if (!publish.etag.empty() && publish.etag != etag) return false;
    if (!publish.etag.empty() && !is_lit) return true;
    if (publish.etag.empty()) ++publications;
    etag = std::to_string(++last_etag);
    is_lit = lit;
    shows = publish.serial;
    return true;
  }
};

struct World {
  Publication state;
  Server server;
  Serial last_serial = 0;
  int changes_left = 3;
  int faults_left = 2;
  bool asked = false;                 // the table's answer is under way
  bool removing = false;              // the same of a removal
  std::optional<Publish> on_the_way;  // to Kamailio
  bool lit_on_the_way = false;
  bool retry_is_set = false;
  bool refresh_is_set = false;

  std::string key() const {
    std::string text = std::to_string(state.phase.index()) + "," + std::to_string(state.wanted) + "," +
                       std::to_string(state.is_lit_wanted) + "," + std::to_string(state.published) + "," +
                       std::to_string(state.failures) + "," + server.etag + "," + std::to_string(server.is_lit) + "," +
                       std::to_string(server.shows) + "," + std::to_string(server.publications) + "," +
                       std::to_string(changes_left) + "," + std::to_string(faults_left) + "," + std::to_string(asked) +
                       "," + std::to_string(retry_is_set) + "," + std::to_string(refresh_is_set) + "," +
                       std::to_string(removing) + "," + std::to_string(state.is_forgotten);
    if (on_the_way) text += "," + std::to_string(on_the_way->serial) + on_the_way->etag;
    text += "," + state.etag;
    return text;
  }
};

void handle(World& world, const Event& event) {
  Decision decision = decide(world.state, event);
  world.state = decision.next;
  for (const Action& action : decision.actions) {
    if (const auto* publish = std::get_if<Publish>(&action)) {
      ASSERT_FALSE(world.on_the_way) << "two under way";
      ASSERT_FALSE(world.asked || world.removing);
      world.on_the_way = *publish;
      world.lit_on_the_way = world.state.is_lit_wanted;
    } else if (std::holds_alternative<AskTable>(action)) {
      ASSERT_FALSE(world.asked || world.removing);
      world.asked = true;
    } else if (std::holds_alternative<Remove>(action)) {
      ASSERT_FALSE(world.asked || world.on_the_way || world.removing);
      world.removing = true;
    } else if (std::holds_alternative<StartRetry>(action)) {
      world.retry_is_set = true;
    } else if (std::holds_alternative<StartRefresh>(action)) {
      world.refresh_is_set = true;
    } else {
      world.refresh_is_set = false;
    }
  }
}

std::vector<World> nexts(const World& world) {
  std::vector<World> nexts;
  const auto add = [&](const std::function<void(World&)>& step) {
    World next = world;
    step(next);
    nexts.push_back(std::move(next));
  };
  if (world.changes_left > 0) {
    for (const bool lit : {false, true}) {
      add([&](World& next) {
        --next.changes_left;
        handle(next, Wanted{++next.last_serial, lit});
      });
    }
    for (const Event& event : {Event(Doubted{}), Event(Forgotten{})}) {
      add([&](World& next) {
        --next.changes_left;
        handle(next, event);
      });
    }
    add([&](World& next) {  // the row is removed from Kamailio's table, and it is seen
      --next.changes_left;
      next.server.etag.clear();
      next.server.is_lit = false;
      next.server.publications = 0;
      handle(next, Doubted{});
    });
  }
  if (world.removing) {
    const auto remove = [](World& next) {
      next.removing = false;
      next.server.etag.clear();
      next.server.is_lit = false;
      next.server.publications = 0;
    };
    add([&](World& next) {
      remove(next);
      handle(next, Removed{});
    });
    if (world.faults_left > 0) {
      add([&](World& next) {  // done, but the answer is lost
        --next.faults_left;
        remove(next);
        handle(next, NotAnswered{});
      });
      add([&](World& next) {
        --next.faults_left;
        next.removing = false;
        handle(next, NotAnswered{});
      });
    }
  }
  if (world.asked) {
    add([](World& next) {
      next.asked = false;
      handle(next, Found{next.server.table()});
    });
    if (world.faults_left > 0) {
      add([](World& next) {
        next.asked = false;
        --next.faults_left;
        handle(next, NotAnswered{});
      });
    }
  }
  if (world.on_the_way) {
    const auto deliver = [](World& next) {
      const Publish sent = *std::exchange(next.on_the_way, std::nullopt);
      return next.server.take(sent, next.lit_on_the_way);
    };
    add([&](World& next) {
      if (deliver(next)) {
        handle(next, Accepted{next.server.etag});
      } else {
        handle(next, Refused{Refusal::kUnknownEtag});
      }
    });
    if (world.faults_left > 0) {
      add([&](World& next) {  // done, but the answer is lost
        --next.faults_left;
        deliver(next);
        handle(next, Refused{Refusal::kFailed});
      });
      add([&](World& next) {
        --next.faults_left;
        next.on_the_way.reset();
        handle(next, Refused{Refusal::kFailed});
      });
    }
  }
  if (world.retry_is_set) {
    add([](World& next) {
      next.retry_is_set = false;
      handle(next, RetryDue{});
    });
  }
  return nexts;
}

TEST(Publication, N5_WhateverFailsInTheEndTheLastStateIsShownByOnePublication) {
  std::set<std::string> seen;
  std::deque<World> open{World{}};
  seen.insert(open.front().key());
  std::size_t ends = 0;
  while (!open.empty()) {
    const World world = open.front();
    open.pop_front();
    ASSERT_LE(world.server.publications, 1) << "two publications of one presentity: " << world.key();
    const bool rests = !world.asked && !world.removing && !world.on_the_way && !world.retry_is_set;
    if (rests && world.last_serial > 0) {
      ++ends;
      ASSERT_EQ(world.server.is_lit, world.state.is_lit_wanted) << world.key();
      if (world.state.is_forgotten) {
        ASSERT_TRUE(is_over(world.state)) << world.key();
        ASSERT_EQ(world.server.publications, 0) << world.key();
      }
      if (world.server.is_lit) {
        ASSERT_EQ(world.server.shows, world.last_serial) << world.key();
        ASSERT_TRUE(world.refresh_is_set) << "no timer would refresh it: " << world.key();
      }
    }
    for (World& next : nexts(world)) {
      if (HasFailure()) return;
      if (seen.insert(next.key()).second) open.push_back(std::move(next));
    }
  }
  EXPECT_GT(ends, 100U);
  EXPECT_GT(seen.size(), 1000U);
}

}  // namespace
}  // namespace callpark::presence::publication
