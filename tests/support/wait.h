// How a test waits for a fact: it asks again until the fact is there or the deadline has passed. The only place in the
// tests that sleeps.
#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace callpark::test {

using namespace std::chrono_literals;

/// How long a test is ready to wait for something that should come at once. Generous, because tests run in parallel.
constexpr std::chrono::milliseconds kSoon{10000};

/// A deadline as a slow machine needs it: `timeout` times CALLPARK_PATIENCE, which is 3 if it is not set. Everything in
/// the tests that waits for a fact waits so long.
std::chrono::milliseconds patient(std::chrono::milliseconds timeout);

/// Asks `predicate` every few milliseconds until it is true. False when patient(timeout) has passed; it is then asked
/// once more, so that a stalled machine does not turn a fact into a failure.
bool wait_until(std::chrono::milliseconds timeout, const std::function<bool()>& predicate);

/// The same, for set-up code: throws std::runtime_error("waited N ms for WHAT").
void require_until(std::chrono::milliseconds timeout, const std::function<bool()>& predicate, const std::string& what);

/// Watches for the whole `duration` that `predicate` stays true; false as soon as it is not. For "nothing happens".
bool holds_for(std::chrono::milliseconds duration, const std::function<bool()>& predicate);

/// Lets time pass, where the time between two acts is what the test is about. Never to wait for a fact.
void pass(std::chrono::milliseconds duration);

}  // namespace callpark::test
