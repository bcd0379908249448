"""Every message that the code raises with an SQLSTATE of its own, as errors and as warnings."""

import re

from psycopg2 import errorcodes

from ..lab import places

SRC, SQL = places.CHECKOUT / "src", places.CHECKOUT / "sql"

#: What makes a failure: the type itself, and functions that take the message from their caller.
CALL = re.compile(r"(?<!fn )(?<![.:])\b(Failure::new|invalid|denied|refuse|none|warn|pgrx::error!)\(|Failure \{ message(?:: (\w+))?,")

LITERAL = re.compile(r'"((?:\\.|[^"\\])*)"', re.S)

STATE = re.compile(r"ERRCODE_(\w+)")


def messages():
    """Each message with what is filled in as an ellipsis, and its SQLSTATEs."""
    found = {}
    for message, states in [*of_odoo(), *of_rust(), *of_sql()]:
        found.setdefault(shown(message), set()).update(states)
    return {message: sorted(map(code, states)) for message, states in found.items()}


def shown(message):
    message = re.sub(r"\\\s*\n\s*", "", message).replace('\\"', '"')
    return re.sub(r"\{[^{}]*\}|%[sLI]", "…", message)


def code(name):
    return getattr(errorcodes, name.removeprefix("T_R_"))


def sources():
    for file in sorted(SRC.rglob("*.rs")):
        if SRC / "odoo" not in file.parents and file.name != "failure.rs":
            yield re.sub(r"(?m)^\s*//.*$", "", file.read_text().partition("#[cfg(test)]")[0])


def calls(source):
    """Where a failure is made: the function, its arguments, the message among them, and its texts."""
    for call in CALL.finditer(source):
        arguments = [one.strip() for one in split(source, call.end())] if call[1] else [call[2] or "message"]
        message = arguments[1 if call[1] == "Failure::new" else 0]
        before = source[: call.start()]
        yield call[1], ", ".join(arguments), message, LITERAL.findall(message)[:1] or bound(before, message), before


def unread():
    """What messages are made of where they are no texts: arguments of functions that make failures."""
    return {message for source in sources() for name, _, message, texts, _ in calls(source)
            if name == "Failure::new" and not texts}


def of_rust():
    for source in sources():
        helpers = {name: STATE.findall(body) for name, body in
                   re.findall(r"\n(?:pub )?fn (\w+)\([^)]*message: (?:String|&str)[^{]*\{(.*?)\n\}", source, re.S)}
        for name, arguments, _, texts, before in calls(source):
            states = STATE.findall(arguments) or STATE.findall("".join(assigned(before, arguments)))
            for text in texts:
                yield text, states or helpers.get(name) or DEFAULT.get(name, [])


#: Of functions that other files have.
DEFAULT = {"invalid": ["INVALID_PARAMETER_VALUE"], "denied": ["INSUFFICIENT_PRIVILEGE"], "none": ["OBJECT_NOT_IN_PREREQUISITE_STATE"],
           "pgrx::error!": ["INTERNAL_ERROR"]}


def split(source, at):
    """The arguments of a call that begin there."""
    depth, begin = 1, at
    while depth:
        if literal := LITERAL.match(source, at):
            at = literal.end()
            continue
        depth += (source[at] in "([{") - (source[at] in ")]}")
        if depth == 0 or depth == 1 and source[at] == ",":
            yield source[begin:at]
            begin = at + 1
        at += 1


def assigned(before, arguments):
    """The statements that last gave the names among the arguments their values."""
    for name in re.findall(r"\b[a-z]\w*\b", arguments):
        if found := re.findall(rf"let {name}(?:: \S+)? =(.*?);\n", before, re.S)[-1:]:
            yield found[0]


def bound(before, arguments):
    """The texts of these statements, but those of a function whose caller gives the message."""
    function = before.rpartition("\nfn ")[2] if before.rfind("\nfn ") > before.rfind("\npub fn ") else before
    return [text for statement in assigned(function, arguments) for text in LITERAL.findall(statement) if re.search("[a-z]", text)]


def of_odoo():
    """What the client for Odoo says, and what it means in PostgreSQL's terms."""
    told = (SRC / "server" / "odoo_error.rs").read_text()
    faults = dict(re.findall(r"FaultKind::(\w+) =>[^:]*State::ERRCODE_(\w+)", told))
    states = dict(re.findall(r"Error::(\w+)[^=]*=> \(\s*State::ERRCODE_(\w+)", told))
    shows = (SRC / "odoo" / "error.rs").read_text().partition("#[cfg(test)]")[0]
    for kind, body in re.findall(r"impl fmt::Display for (\w+) \{(.*?)\n\}", shows, re.S):
        for variant, parts, text in re.findall(rf'{kind}::(\w+)([^=]*)=>[^"]*"((?:\\.|[^"\\])*)"', body):
            fault = re.search(r"FaultKind::(\w+)", parts)
            name = "Sessionless" if kind == "Sessionless" else variant
            if fault:
                yield text, [faults[fault[1]]]
            elif text != "{why}":
                yield text, faults.values() if name == "Fault" else [states[name]]
    for reason in re.findall(r'let reason = "(.*?)";', (SRC / "server" / "options.rs").read_text()):
        yield reason, ["FDW_INVALID_OPTION_NAME"]


def of_sql():
    for file in sorted(SQL.glob("*.sql")):
        if "--" not in file.name:
            for name, message in re.findall(r"RAISE (\w+) USING\s+MESSAGE = (.*?),\n", file.read_text(), re.S):
                for text in re.findall(r"'((?:''|[^'])+)'", message):
                    yield text.replace("''", "'"), [name.upper()]
