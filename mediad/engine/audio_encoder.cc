#include "mediad/engine/audio_encoder.h"

#include <mediastreamer2/mscommon.h>
extern "C" {
#include <mediastreamer2/msqueue.h>  // the only one of its headers that does not include it itself
}
#include <mediastreamer2/msfactory.h>
#include <mediastreamer2/msfilter.h>
#include <mediastreamer2/msticker.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "mediad/engine/codec_facts.h"

// The filters are named by their descriptions, which the library exports for static linking: mediastreamer2's own
// start-up would look for sound cards, cameras and plugins.
extern "C" {
extern MSFilterDesc ms_ulaw_enc_desc;
extern MSFilterDesc ms_alaw_enc_desc;
extern MSFilterDesc ms_g722_enc_desc;
extern MSFilterDesc ms_opus_enc_desc;
extern MSFilterDesc ms_resample_desc;
}

namespace callpark::media {
namespace {

// Lead-in before a loop's beginning, after which the encoder's state is the one that the loop's end leaves.
constexpr int kLeadInPackets = 50;
// The resampler and the encoders delay the sound by less than this.
constexpr int kFlushPackets = 3;

MSFilterDesc* description_of(CodecName codec) {
  switch (codec) {
    case CodecName::kPcmu:
      return &ms_ulaw_enc_desc;
    case CodecName::kPcma:
      return &ms_alaw_enc_desc;
    case CodecName::kG722:
      return &ms_g722_enc_desc;
    case CodecName::kOpus:
      return &ms_opus_enc_desc;
  }
  throw std::logic_error("no such codec");
}

// The factory is not thread-safe; filters share nothing once they exist.
class Factory {
 public:
  static Factory& shared() {
    static Factory factory;
    return factory;
  }
  MSFilter* create(MSFilterDesc* description) {
    const std::lock_guard lock(mutex_);
    MSFilter* filter = ms_factory_create_filter_from_desc(factory_.get(), description);
    if (filter == nullptr) throw std::runtime_error(std::string("mediastreamer2 has no ") + description->name);
    return filter;
  }
  void destroy(MSFilter* filter) {
    const std::lock_guard lock(mutex_);
    ms_filter_destroy(filter);
  }

 private:
  Factory() {
    bctbx_set_log_level(nullptr, BCTBX_LOG_ERROR);
    factory_.reset(ms_factory_new());
  }
  std::mutex mutex_;
  std::unique_ptr<MSFactory, decltype(&ms_factory_destroy)> factory_{nullptr, &ms_factory_destroy};
};

struct FilterDeleter {
  void operator()(MSFilter* filter) const { Factory::shared().destroy(filter); }
};
using Filter = std::unique_ptr<MSFilter, FilterDeleter>;

struct QueueDeleter {
  void operator()(MSQueue* queue) const { ms_queue_destroy(queue); }
};
using Queue = std::unique_ptr<MSQueue, QueueDeleter>;

void set_rate(MSFilter* filter, unsigned method, int rate_hz) {
  if (ms_filter_call_method(filter, method, &rate_hz) != 0) {
    throw std::runtime_error(std::string(filter->desc->name) + " refuses " + std::to_string(rate_hz) + " Hz");
  }
}

// Samples → resampler → encoder → payloads.
class EncoderChain {
 public:
  EncoderChain(int rate_hz, CodecName codec)
      : resampler_(Factory::shared().create(&ms_resample_desc)),
        encoder_(Factory::shared().create(description_of(codec))),
        input_(ms_queue_new(nullptr, 0, resampler_.get(), 0)),
        between_(ms_queue_new(resampler_.get(), 0, encoder_.get(), 0)),
        output_(ms_queue_new(encoder_.get(), 0, nullptr, 0)) {
    resampler_->inputs[0] = input_.get();
    resampler_->outputs[0] = between_.get();
    encoder_->inputs[0] = between_.get();
    encoder_->outputs[0] = output_.get();
    set_rate(resampler_.get(), MS_FILTER_SET_SAMPLE_RATE, rate_hz);
    set_rate(resampler_.get(), MS_FILTER_SET_OUTPUT_SAMPLE_RATE, facts_of(codec).sample_hz);
    if (codec == CodecName::kOpus) set_rate(encoder_.get(), MS_FILTER_SET_SAMPLE_RATE, facts_of(codec).sample_hz);
    ms_filter_preprocess(resampler_.get(), &ticker_);
    ms_filter_preprocess(encoder_.get(), &ticker_);
  }
  EncoderChain(const EncoderChain&) = delete;
  EncoderChain& operator=(const EncoderChain&) = delete;
  ~EncoderChain() {
    ms_filter_postprocess(encoder_.get());
    ms_filter_postprocess(resampler_.get());
  }

  template <class OnPayload>
  void feed(std::span<const std::int16_t> samples, OnPayload on_payload) {
    const std::size_t bytes = samples.size_bytes();
    mblk_t* block = allocb(static_cast<int>(bytes), 0);
    std::copy_n(reinterpret_cast<const std::uint8_t*>(samples.data()), bytes, block->b_wptr);
    block->b_wptr += bytes;
    ms_queue_put(input_.get(), block);
    ms_filter_process(resampler_.get());
    ms_filter_process(encoder_.get());
    while (mblk_t* payload = ms_queue_get(output_.get())) {
      on_payload(EncodedAudio::Payload(payload->b_rptr, payload->b_wptr));
      freemsg(payload);
    }
  }

 private:
  // Never run; the filters only read the interval of their calls from it.
  MSTicker ticker_ = [] {
    MSTicker ticker{};
    ticker.interval = kPacketMs;
    return ticker;
  }();
  Filter resampler_;
  Filter encoder_;
  Queue input_;
  Queue between_;
  Queue output_;
};

}  // namespace

EncodedAudio encode(const Pcm& pcm, CodecName codec, Ending ending, const std::stop_token& stop) {
  // Returns where a packet's sound begins. At some rates (11,025 Hz) packets alternate between two lengths.
  const auto begin_of = [rate = static_cast<std::size_t>(pcm.rate_hz)](std::size_t packet) {
    return packet * rate / kPacketsPerSecond;
  };
  const std::size_t whole = pcm.samples.size() * kPacketsPerSecond / static_cast<std::size_t>(pcm.rate_hz);
  // A sound shorter than a packet cannot loop without a gap; it is filled up with silence instead.
  const bool loops = ending == Ending::kLoop && whole > 0;
  const std::size_t packets = loops || begin_of(whole) == pcm.samples.size() ? whole : whole + 1;
  const std::size_t lead_in = loops ? kLeadInPackets : 0;

  std::vector<std::int16_t> block;
  const auto fill_block = [&](std::size_t packet) {
    block.clear();
    for (std::size_t at = begin_of(packet); at < begin_of(packet + 1); ++at) {
      block.push_back(at < pcm.samples.size() ? pcm.samples[at] : std::int16_t{0});
    }
  };

  EncodedAudio audio;
  std::size_t produced = 0;
  EncoderChain chain(pcm.rate_hz, codec);
  const std::size_t fed_max = lead_in + packets + kFlushPackets;
  for (std::size_t fed = 0; fed < fed_max && audio.packets() < packets; ++fed) {
    if (stop.stop_requested()) return audio;
    // During the lead-in, `fed - lead_in` counts back from the loop's end.
    fill_block(loops ? (fed + packets * (lead_in / packets + 1) - lead_in) % packets : fed);
    chain.feed(block, [&](EncodedAudio::Payload payload) {
      if (produced++ >= lead_in && audio.packets() < packets) audio.append(payload);
    });
  }
  if (audio.packets() != packets) throw std::runtime_error("the encoder gave fewer packets than it was fed");
  return audio;
}

}  // namespace callpark::media
