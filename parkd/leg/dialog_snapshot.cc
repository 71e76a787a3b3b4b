#include "parkd/leg/dialog_snapshot.h"

#include <utility>

namespace callpark::leg {

DialogSnapshot snapshot_of(const sip::DialogState& dialog, std::string local_sdp, std::string remote_sdp) {
  DialogSnapshot snapshot;
  snapshot.call_id = dialog.id.call_id;
  snapshot.local_tag = dialog.id.local_tag;
  snapshot.remote_tag = dialog.id.remote_tag;
  snapshot.local_uri = dialog.local_uri;
  snapshot.local_display = dialog.local_display;
  snapshot.remote_uri = dialog.remote_uri;
  snapshot.remote_display = dialog.remote_display;
  snapshot.local_cseq = dialog.local_cseq;
  snapshot.remote_cseq = dialog.remote_cseq;
  snapshot.remote_target = dialog.remote_target;
  snapshot.route_set = dialog.route_set;
  snapshot.local_sdp = std::move(local_sdp);
  snapshot.remote_sdp = std::move(remote_sdp);
  return snapshot;
}

sip::DialogState dialog_of(const DialogSnapshot& snapshot) {
  sip::DialogState dialog;
  dialog.id = {snapshot.call_id, snapshot.local_tag, snapshot.remote_tag};
  dialog.local_uri = snapshot.local_uri;
  dialog.local_display = snapshot.local_display;
  dialog.remote_uri = snapshot.remote_uri;
  dialog.remote_display = snapshot.remote_display;
  dialog.local_cseq = snapshot.local_cseq;
  dialog.remote_cseq = snapshot.remote_cseq;
  dialog.remote_target = snapshot.remote_target;
  dialog.route_set = snapshot.route_set;
  return dialog;
}

}  // namespace callpark::leg
