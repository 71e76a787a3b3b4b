// Counters, gauges and histograms in Prometheus' model. Changing one is lock-free and allowed from any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace callpark {

/// Handles are cheap to copy and valid as long as the Metrics object that made them.
class Counter {
 public:
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  void increment(double by = 1);
  double value() const;

 private:
  prometheus::Counter* counter_;
};

class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  void set(double value);
  void add(double by);
  double value() const;

 private:
  prometheus::Gauge* gauge_;
};

class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  void observe(double value);

 private:
  prometheus::Histogram* histogram_;
};

class Metrics {
 public:
  using Labels = std::map<std::string, std::string>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// Returns the metric of that name and labels, made on first use. Keep the handle: the look-up locks a mutex. Names
  /// are snake_case with the unit last; they and the label names are constants of ours, so a bad one throws
  /// std::invalid_argument.
  Counter counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  /// `bounds` are the upper bounds of the buckets, ascending, and equal for every label set of one name.
  Histogram histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                      const Labels& labels = {});

  /// Returns all metrics in the text exposition format 0.0.4.
  std::string serialise() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace callpark
