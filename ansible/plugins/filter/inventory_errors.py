# GPL-3.0-or-later
"""Finds what cannot work in an inventory of callpark, before anything changes."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: inventory_errors
short_description: Faults of an inventory of callpark
description: Returns a list of sentences, one for each fault; empty if the inventory can be installed.
positional: hostvars, options, defaults
options:
  _input:
    description: The variable groups.
    type: dict
    required: true
  hostvars:
    description: The variable hostvars, where each machine has its variables of callpark in check_inventory_given.
    type: dict
    required: true
  options:
    description: The options of each role, of meta/argument_specs.yml.
    type: dict
    required: true
  defaults:
    description: The defaults of each role.
    type: dict
    required: true
"""

EXAMPLES = r"""
- ansible.builtin.assert:
    that: groups | callpark.callpark.inventory_errors(hostvars, options, defaults) | length == 0
"""

RETURN = r"""
_value:
  description: The faults.
  type: list
  elements: str
"""

import difflib
import ipaddress
import os
import re

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

# The groups whose machines need one another, one for one.
SERVICES = ("database", "park", "edge", "media")
# The role of each group; all machines have the others.
ROLE_GROUPS = {"mariadb": "database", "tenants": "database", "backup": "database", "parkd": "park", "kamailio": "edge",
               "mediad": "media", "rtpengine": "relay", "monitoring": "monitoring"}
RANGE = re.compile(r"From (-?\d+) to (-?\d+)\.")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
COLUMN = re.compile(r"[a-z][a-z0-9_]*")
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
PASSWORD = re.compile(r"[A-Za-z0-9._~-]{12,}")
SECRET = re.compile(r"[A-Za-z0-9]{16,}")
SIZE = re.compile(r"[1-9][0-9]*[KMG]?")
# Addresses of the machine itself or of another one; an empty one is permitted only where the default is empty.
ADDRESSES = ("callpark_private_address", "callpark_database_address", "kamailio_address", "kamailio_advertised_address",
             "kamailio_inside_address", "kamailio_parkd_address", "mariadb_bind_address", "mediad_rtp_address",
             "mediad_rtp_advertised_address", "rtpengine_address")
# IP:port, some of them also unix:PATH.
PLACES = ("parkd_sip_listen", "parkd_kamailio_inside", "parkd_mediad_control", "parkd_http_listen", "mediad_control_listen", "mediad_http_listen",
          "rtpengine_control_listen", "monitoring_listen")
# Phones or other machines connect to them, so they are of one interface.
ONE_INTERFACE = ("kamailio_address", "kamailio_inside_address", "kamailio_parkd_address", "mediad_rtp_address",
                 "callpark_private_address", "callpark_database_address")
NETWORKS = ("firewall_ssh_networks", "firewall_sip_networks", "firewall_monitoring_networks")


def address_of(text):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def place_of(text):
    """(address, port) of IP:port or [IPv6]:port, or None."""
    host, colon, port = str(text).rpartition(":")
    address = address_of(host.strip("[]"))
    if not colon or address is None or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    return address, int(port)


class Machine(object):
    """A machine's variables: those of the inventory before the defaults of the roles."""

    def __init__(self, name, given, roles, errors):
        self.name = name
        self.given = given
        self.defaults = dict((key, value) for role in roles.values() for key, value in role["defaults"].items())
        self.errors = errors

    def __getitem__(self, key):
        value = self.given.get(key)
        return self.defaults.get(key, "") if value is None else value

    def fault(self, sentence):
        self.errors.append("%s: %s" % (self.name, sentence))

    def place(self, key):
        return place_of(self[key])


def check_names(machine, roles):
    known = set(key for role in roles.values() for key in role["options"])
    for key in sorted(machine.given):
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            machine.fault("callpark has no variable %s%s" % (key, "; is it %s?" % near[0] if near else ""))


def check_options(machine, options):
    """Required, types and choices as Ansible would, and the ranges of the descriptions."""
    given = dict((key, value) for key, value in machine.given.items() if key in options)
    result = ArgumentSpecValidator(options).validate(given)
    for message in result.error_messages:
        machine.fault(message)
    if result.error_messages:
        return
    for key, value in result.validated_parameters.items():
        # YAML reads off and no as false, which would be written as False.
        if options[key]["type"] == "str" and isinstance(given.get(key), bool):
            machine.fault('%s is %s: put the word in quotes, as "off"' % (key, given[key]))
        limits = RANGE.search(options[key]["description"]) if options[key]["type"] == "int" and value is not None else None
        if limits and not int(limits.group(1)) <= value <= int(limits.group(2)):
            machine.fault("%s is %d, and not from %s to %s" % (key, value, limits.group(1), limits.group(2)))


def check_addresses(machine, options):
    for key in options:
        value = machine[key]
        if key in ADDRESSES and value != "":
            address = address_of(value)
            if address is None:
                machine.fault("%s is %s, and not an IP address" % (key, value))
            elif key in ONE_INTERFACE and address.is_unspecified:
                machine.fault("%s is %s: name the address of one interface" % (key, value))
        elif key in ADDRESSES and machine.defaults.get(key):
            machine.fault("%s is empty" % key)
        if key in PLACES and not (key == "mediad_http_listen" and value == "") and not (str(value).startswith("unix:/") and key.startswith(("mediad_", "parkd_mediad_"))):
            if place_of(value) is None:
                machine.fault("%s is %s, and not IP:port" % (key, value))
        for network in machine[key] if key in NETWORKS and isinstance(machine[key], list) else ():
            try:
                ipaddress.ip_network(network)
            except ValueError:
                machine.fault("%s has %s, which is no network, as 192.0.2.0/24" % (key, network))
        if options[key]["type"] == "path" and value and not os.path.isabs(value):
            machine.fault("%s is %s, and not an absolute path" % (key, value))


def check_packages(machine):
    repository = machine["callpark_apt_repository"]
    if repository.startswith("/"):
        if not os.path.exists(os.path.join(repository, "Packages")):
            machine.fault("callpark_apt_repository: %s has no file Packages: tools/build_packages makes it" % repository)
    elif repository and not repository.startswith("deb "):
        machine.fault('callpark_apt_repository is %s, and neither an absolute path nor a line that begins with "deb "' % repository)


def check_database_secret(machine):
    if not PASSWORD.fullmatch(str(machine["callpark_database_password"])):
        machine.fault("callpark_database_password needs 12 or more letters, digits and any of . _ ~ -")


def check_edge(machine):
    if not SECRET.fullmatch(str(machine["kamailio_secret"])):
        machine.fault("kamailio_secret needs 16 or more letters and digits")
    if not str(machine["kamailio_db_url"]).startswith("mysql://"):
        machine.fault("kamailio_db_url does not begin with mysql://")
    if (machine["kamailio_address"], int(machine["kamailio_port"])) == (
            machine["kamailio_inside_address"], int(machine["kamailio_inside_port"])):
        machine.fault("Kamailio's inside and outside are both %s:%s" % (machine["kamailio_address"], machine["kamailio_port"]))


def check_park(machine):
    if not NAME.fullmatch(str(machine["parkd_node_name"])):
        machine.fault("parkd_node_name is %s, and not 1 to 64 letters, digits and any of . _ -" % machine["parkd_node_name"])


def check_media(machine, prefix):
    first, last = int(machine[prefix + "_port_min"]), int(machine[prefix + "_port_max"])
    if first % 2:
        machine.fault("%s_port_min is %d, and not even" % (prefix, first))
    if last < first + 99:
        machine.fault("%s_port_min to %s_port_max are %d to %d: 100 ports or more are needed" % (prefix, prefix, first, last))
    return first, last


def check_ports(machine, groups):
    """No two services of one machine at one UDP port. Addresses are not compared: ports that differ are clearer too."""
    used = []
    if "edge" in groups:
        used += [("kamailio_port", int(machine["kamailio_port"])), ("kamailio_inside_port", int(machine["kamailio_inside_port"]))]
    if "park" in groups:
        used += [("parkd_sip_listen", machine.place("parkd_sip_listen")[1])]
    for index, (key, port) in enumerate(used):
        for other, its_port in used[:index]:
            if port == its_port and {key, other} != {"kamailio_port", "kamailio_inside_port"}:
                machine.fault("%s and %s have the same port %d" % (other, key, port))
        if "media" in groups and int(machine["mediad_rtp_port_min"]) <= port <= int(machine["mediad_rtp_port_max"]):
            machine.fault("%s is %d, which is a port of mediad's RTP" % (key, port))


def check_same(one, key, value, other, its_key, its_value):
    if value != its_value:
        one.fault("%s is %s, but %s of %s is %s" % (key, value, its_key, other.name, its_value))


def check_node(edge, park, media):
    """What Kamailio, parkd and mediad of one node know of one another."""
    check_same(edge, "kamailio_parkd_address:kamailio_parkd_port",
               "%s:%s" % (edge["kamailio_parkd_address"], edge["kamailio_parkd_port"]), park, "parkd_sip_listen", park["parkd_sip_listen"])
    inside = "%s:%s" % (edge["kamailio_inside_address"], edge["kamailio_inside_port"])
    check_same(park, "parkd_kamailio_inside", park["parkd_kamailio_inside"], edge, "the inside", inside)
    peers = [peer.strip(" '\"") for peer in str(park["parkd_kamailio_peers"]).split(",")]
    if edge["kamailio_inside_address"] not in peers:
        park.fault("parkd_kamailio_peers has not kamailio_inside_address of %s, which is %s" % (edge.name, edge["kamailio_inside_address"]))
    check_same(park, "parkd_mediad_control", park["parkd_mediad_control"], media, "mediad_control_listen", media["mediad_control_listen"])
    if park.name != media.name and str(media["mediad_control_listen"]).startswith("unix:"):
        media.fault("mediad_control_listen is %s, which parkd on %s cannot reach" % (media["mediad_control_listen"], park.name))
    if park.name != edge.name and park.place("parkd_sip_listen")[0].is_loopback:
        park.fault("parkd_sip_listen is %s, which Kamailio on %s cannot reach" % (park["parkd_sip_listen"], edge.name))
    outside = address_of(edge["kamailio_address"])
    if not outside.is_loopback and address_of(media["mediad_rtp_address"]).is_loopback:
        media.fault("mediad_rtp_address is %s, but phones reach Kamailio at %s" % (media["mediad_rtp_address"], outside))


def check_database(database, others):
    """The machines that are not the database's own reach it by TCP."""
    if not others:
        return
    if address_of(database["mariadb_bind_address"]).is_loopback:
        database.fault("mariadb_bind_address is %s, which %s cannot reach" % (database["mariadb_bind_address"], others[0].name))
    for machine in others:
        if not machine["callpark_database_address"]:
            machine.fault("callpark_database_address is empty, but the database is on %s" % database.name)


def check_metrics(monitor, others):
    for key, machine in others:
        place = machine.place(key)
        if machine.name != monitor.name and place and place[0].is_loopback:
            machine.fault("%s is %s, which Prometheus on %s cannot reach" % (key, machine[key], monitor.name))


def check_tenant(machine, tenant, tables):
    name = tenant.get("tenant")
    if not isinstance(name, str) or not DOMAIN.fullmatch(name):
        machine.fault("callpark_tenants: %s is no domain of a tenant" % name)
    for key, value in tenant.items():
        if not COLUMN.fullmatch(key):
            machine.fault("callpark_tenants: %s of %s is no column" % (key, name))
        if key not in tables:
            if isinstance(value, (list, dict)):
                machine.fault("callpark_tenants: %s of %s is no table; there are %s" % (key, name, ", ".join(tables)))
            continue
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            machine.fault("callpark_tenants: %s of %s is not a list of rows" % (key, name))
            continue
        for row in value:
            for column in row:
                if not COLUMN.fullmatch(column):
                    machine.fault("callpark_tenants: %s in %s of %s is no column" % (column, key, name))
    extensions = tenant.get("extensions")
    seen = set()
    for row in extensions if isinstance(extensions, list) else ():
        number = row.get("extension") if isinstance(row, dict) else None
        if not isinstance(number, str) or not number.isdigit():
            machine.fault('callpark_tenants: extension %s of %s is not digits in quotes, as "201"' % (number, name))
        elif not row.get("password"):
            machine.fault("callpark_tenants: extension %s of %s has no password" % (number, name))
        elif number in seen:
            machine.fault("callpark_tenants: extension %s of %s is there twice" % (number, name))
        seen.add(number)


def check_tenants(machine):
    names = [tenant.get("tenant") for tenant in machine["callpark_tenants"]]
    for name in sorted(set(name for name in names if name and names.count(name) > 1)):
        machine.fault("callpark_tenants: %s is there twice" % name)
    for tenant in machine["callpark_tenants"]:
        check_tenant(machine, tenant, machine["tenants_tables"])


def group_errors(groups):
    """What the other faults need to be right."""
    errors = []
    for group in SERVICES:
        if not groups.get(group):
            errors.append("the group %s has no machine" % group)
    if len(groups.get("database", [])) > 1:
        errors.append("the group database has %d machines, and callpark has one database" % len(groups["database"]))
    sizes = [len(groups.get(group, [])) for group in SERVICES[1:]]
    if len(set(sizes)) > 1:
        errors.append("the groups park, edge and media have %d, %d and %d machines: the first of each work together, the second, "
                      "and so on" % tuple(sizes))
    return errors


def inventory_errors(groups, hostvars, options, defaults):
    roles = dict((role, {"options": options[role], "defaults": defaults[role] or {}}) for role in options)
    errors = []
    machines = {}
    groups_of = {}
    for name in groups.get("all", []):
        machines[name] = Machine(name, hostvars[name]["check_inventory_given"], roles, errors)
        groups_of[name] = set(group for group, members in groups.items() if name in members)
        if not groups_of[name] & (set(SERVICES) | set(ROLE_GROUPS.values())):
            machines[name].fault("it is in none of the groups %s, relay and monitoring" % ", ".join(SERVICES))
    for name, machine in machines.items():
        check_names(machine, roles)
        for role, about in roles.items():
            if ROLE_GROUPS.get(role) is None or ROLE_GROUPS[role] in groups_of[name]:
                check_options(machine, about["options"])
    if errors:
        return errors
    for name, machine in machines.items():
        for role, about in roles.items():
            if ROLE_GROUPS.get(role) is None or ROLE_GROUPS[role] in groups_of[name]:
                check_addresses(machine, about["options"])
        check_packages(machine)
    if errors:
        return errors
    return relations(machines, groups, groups_of, errors)


def relations(machines, groups, groups_of, errors):
    """What variables mean together; each of them alone is right."""
    for name, machine in machines.items():
        if groups_of[name] & {"database", "park"}:
            check_database_secret(machine)
        if "edge" in groups_of[name]:
            check_edge(machine)
        if "park" in groups_of[name]:
            check_park(machine)
        if "media" in groups_of[name]:
            check_media(machine, "mediad_rtp")
        if "relay" in groups_of[name]:
            check_media(machine, "rtpengine")
        check_ports(machine, groups_of[name])
        if len(machines) > 1 and not machine["callpark_private_address"]:
            machine.fault("callpark_private_address is missing: the other machines reach this one there")
    database = machines[groups["database"][0]]
    check_tenants(database)
    check_database(database, [machines[name] for name in groups["park"] + groups["edge"] if name != database.name])
    for monitor in groups.get("monitoring", []):
        check_metrics(machines[monitor], [("parkd_http_listen", machines[name]) for name in groups["park"]]
                      + [("mediad_http_listen", machines[name]) for name in groups["media"]])
    names = {}
    for edge, park, media in zip(groups["edge"], groups["park"], groups["media"]):
        check_node(machines[edge], machines[park], machines[media])
        node = machines[park]["parkd_node_name"]
        if node in names:
            machines[park].fault("parkd_node_name is %s, as that of %s" % (node, names[node]))
        names[node] = park
    for key, members in (("kamailio_secret", groups["edge"]), ("callpark_database_password", groups["database"] + groups["park"])):
        if len(set(str(machines[name][key]) for name in members)) > 1:
            errors.append("%s is not the same on all machines" % key)
    return errors


class FilterModule(object):
    def filters(self):
        return {"group_errors": group_errors, "inventory_errors": inventory_errors}
