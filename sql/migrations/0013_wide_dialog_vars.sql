-- A session description is a variable of Kamailio's dialog, whole or not at all (lua/rules/sdp_digest.lua).
ALTER TABLE dialog_vars
  MODIFY COLUMN dialog_value VARCHAR(4096) NOT NULL;
