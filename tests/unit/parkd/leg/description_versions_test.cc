// Descriptions that differ have different versions, whatever was refused, and whichever end spoke in the dialog before.
#include "parkd/leg/description_versions.h"

#include <map>
#include <random>
#include <set>
#include <utility>

#include "parkd/leg/aligned_offer.h"
#include "tests/unit/parkd/leg/user_agent_scene.h"

namespace callpark::leg {
namespace {

sip::Sdp with_version(sip::Sdp sdp, std::uint64_t version) {
  sdp.origin.version = version;
  return sdp;
}

TEST(DescriptionVersions, X4_ARefusedDescriptionHasUsedItsVersion) {
  DescriptionVersions versions;
  versions.note(with_version(alices_offer(), 5));
  EXPECT_EQ(versions.next(with_version(johns_sdp(), 6)).origin.version, 6U);
  EXPECT_EQ(versions.next(with_version(clients_sdp(), 6)).origin.version, 7U);
  EXPECT_EQ(versions.next(with_version(johns_sdp(), 6)).origin.version, 8U);
}

TEST(DescriptionVersions, X4_TheLastOneIsSentAgainAsItWas) {
  DescriptionVersions versions;
  versions.note(with_version(alices_offer(), 5));
  const sip::Sdp sent = versions.next(with_version(johns_sdp(), 5));
  EXPECT_EQ(sent.origin.version, 6U);
  EXPECT_EQ(versions.next(with_version(johns_sdp(), 5)), sent);
  EXPECT_EQ(versions.next(with_version(johns_sdp(), 6)), sent);
  EXPECT_EQ(versions.next(with_version(johns_sdp(), 7)).origin.version, 7U) << "a new version is no fault";
}

TEST(DescriptionVersions, X4_WhatMayHaveBeenSentByOthersIsPassed) {
  DescriptionVersions versions;
  versions.continue_from(with_version(johns_sdp(), 40), 100);
  EXPECT_EQ(versions.next(with_version(johns_sdp(), 40)).origin.version, 141U) << "it may not be the last one";
  versions.continue_from(std::nullopt, 100);
  EXPECT_EQ(versions.next(with_version(johns_sdp(), 1)).origin.version, 101U);
}

/// The descriptions that a strict remote side has seen in one dialog.
class StrictEnd {
 public:
  void see(const sip::Sdp& sdp) {
    EXPECT_GE(sdp.origin.version, highest_);
    highest_ = std::max(highest_, sdp.origin.version);
    const auto [known, is_new] = seen_.emplace(sdp.origin.version, sdp);
    EXPECT_TRUE(is_new || known->second == sdp) << sip::write_sdp(known->second) << sip::write_sdp(sdp);
  }
  std::uint64_t highest() const { return highest_; }

 private:
  std::uint64_t highest_ = 0;
  std::map<std::uint64_t, sip::Sdp> seen_;
};

class VersionsTest : public UserAgentScene, public testing::WithParamInterface<std::uint32_t> {
 protected:
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  /// All that parkd has sent to the Client since the last time.
  void watch() {
    pass(Duration(20));
    for (; watched_ < kamailio.sent.size(); ++watched_) {
      const SipMessage& message = kamailio.sent[watched_];
      if (message.call_id() != "call-1" || message.body().empty() || message.content_type() != "application/sdp") {
        continue;
      }
      const bool to_client =
          message.is_request() ? message.to_tag() == "client-tag" : message.from_tag() == "client-tag";
      // Repetitions are those of the parkd before, too.
      if (to_client && seen_.emplace(message.is_request(), message.cseq().number).second) {
        strict_.see(body_of(message));
      }
    }
  }
  void answer_offers() {
    while (kamailio.sends("INVITE", Duration(30))) {
      const SipMessage invite = kamailio.take_request("INVITE");
      static constexpr int kStatuses[] = {200, 200, 200, 488, 491, 500, 403, 422};
      const int status = kStatuses[below(8)];
      watch();
      kamailio.answer(invite, status,
                      status == 200
                          ? std::optional(with_port(clients_sdp(), static_cast<std::uint16_t>(6000 + below(50))))
                          : std::nullopt);
      watch();
      if (status == 491) pass(seconds(3));
    }
  }
  void clients_offer() {
    const bool has_offer = below(3) != 0;
    const SipMessage invite = has_offer ? client.request("INVITE", below(2) == 0 ? held(clients_sdp()) : clients_sdp())
                                        : client.request("INVITE");
    kamailio.deliver(invite);
    watch();
    const auto sdp = has_offer ? std::nullopt : std::optional(clients_sdp());
    if (kamailio.take_response(invite).status() == 200) kamailio.deliver(client.ack(invite, sdp));
  }
  void any_step(park::Question question) {
    const MediaAddress elsewhere{"127.0.0.3", static_cast<std::uint16_t>(40000 + 2 * below(8))};
    switch (below(4)) {
      case 0:
        conversations.offer_to_caller(talk, question, OfferMusic{elsewhere});
        return answer_offers();
      case 1:
        offer_peer(question);
        return answer_offers();
      case 2:
        return clients_offer();
      default:
        return pass(seconds(1));
    }
  }

  StrictEnd strict_;
  std::size_t watched_ = 0;
  std::set<std::pair<bool, std::uint32_t>> seen_;

 private:
  std::mt19937 random_{GetParam()};
};

// parkd dies at any moment, and the next one has a row of any moment before.
TEST_P(VersionsTest, X4_NoSequenceOfOffersUsesAVersionTwice) {
  strict_.see(johns_sdp());
  // John has answered the Client's own re-INVITE since.
  if (below(2) == 0) strict_.see(with_version(held(clients_sdp()), johns_sdp().origin.version + 1));
  ASSERT_TRUE(adopt());
  ParkedCallRow row = row_of(RowState::kParked);
  row.parked_at = wall_now();
  const auto write_row = [&] {
    row.caller = caller_snapshot();
    row.peer = peer_snapshot();
  };
  write_row();
  if (below(2) == 0) offer_music(1);
  answer_offers();
  for (park::Question step = 2; step < 40; ++step) {
    any_step(step);
    watch();
    if (below(4) == 0) write_row();
    if (below(8) == 0) {
      conversations.forget(talk);
      pass(seconds(2));
      take_over(row);
      set_bridged(false);
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(strict_.highest(), johns_sdp().origin.version + 1);
}

INSTANTIATE_TEST_SUITE_P(Seeds, VersionsTest, testing::Range(0U, 60U));

// ---- the ways that were seen ----

using AdoptedVersionsTest = UserAgentScene;

TEST_F(AdoptedVersionsTest, X4_AGlareWithAnAnswerOfTheParker) {
  ASSERT_TRUE(adopt());
  const std::uint64_t johns_answer = johns_sdp().origin.version + 1;
  offer_music(1);
  const SipMessage first = kamailio.take_request("INVITE");
  EXPECT_GT(body_of(first).origin.version, johns_answer);
  kamailio.answer(first, 491);
  const SipMessage second = kamailio.take_request("INVITE");
  EXPECT_EQ(body_of(second), body_of(first)) << "the same description has the same version";
}

TEST_F(AdoptedVersionsTest, X4_ATakeoverInTheMiddleOfAnAdoption) {
  ASSERT_TRUE(adopt());
  ParkedCallRow row = row_of(RowState::kAdopting);
  row.caller = caller_snapshot();
  row.peer = adoptable().parker;
  offer_music(1);
  const sip::Sdp before = body_of(accept_offer());
  conversations.forget(talk);
  take_over(row);
  conversations.offer_to_caller(talk, 2, OfferMusic{{"127.0.0.3", 41000}});
  const sip::Sdp after = body_of(kamailio.take_request("INVITE"));
  EXPECT_GT(after.origin.version, before.origin.version);
  EXPECT_EQ(after.origin.session_id, before.origin.session_id);
}

TEST_F(AdoptedVersionsTest, X4_TwoTakeoversOfTheSameRow) {
  ParkedCallRow row = row_of(RowState::kAdopting);
  row.parked_at = wall_now();
  row.caller = adoptable().caller;
  std::uint64_t last = 0;
  for (std::uint16_t port = 41000; port < 41006; port += 2) {
    take_over(row);
    conversations.offer_to_caller(talk, 1, OfferMusic{{"127.0.0.3", port}});
    const sip::Sdp offer = body_of(accept_offer());
    EXPECT_GT(offer.origin.version, last);
    last = offer.origin.version;
    conversations.forget(talk);
    pass(seconds(2));
  }
}

TEST_F(AdoptedVersionsTest, X4_ARefusedOfferAndTheWayBackToThePeer) {
  ASSERT_TRUE(adopt());
  offer_music(1);
  const SipMessage music = kamailio.take_request("INVITE");
  kamailio.answer(music, 488);
  reports();
  offer_peer(2);
  const SipMessage peer = kamailio.take_request("INVITE");
  EXPECT_GT(body_of(peer).origin.version, body_of(music).origin.version);
}

TEST_F(AdoptedVersionsTest, X4_ARetrieverWhoseMediaAreRefused) {
  park();
  const CallId call = dial(feature_invite("*88"));
  offer_call(2, call);
  const SipMessage alices = kamailio.take_request("INVITE");
  kamailio.answer(alices, 488);
  offer_music(3);
  EXPECT_GT(body_of(kamailio.take_request("INVITE")).origin.version, body_of(alices).origin.version);
}

TEST_F(AdoptedVersionsTest, X4_AnOfferOfTheBridgeThatIsRefused) {
  park_and_retrieve();
  const SipMessage hold = alice.request("INVITE", held(alices_offer()));
  kamailio.deliver(hold);
  const SipMessage passed = kamailio.take_request("INVITE");
  kamailio.answer(passed, 488);
  kamailio.take_response(hold);
  kamailio.deliver(alice.ack(hold));
  const SipMessage moved = alice.request("INVITE", with_port(alices_offer(), 7100));
  kamailio.deliver(moved);
  const SipMessage passed_too = kamailio.take_request("INVITE");
  EXPECT_GT(body_of(passed_too).origin.version, body_of(passed).origin.version);
}

}  // namespace
}  // namespace callpark::leg
