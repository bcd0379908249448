"""Reaching Odoo."""

REACH = {
    '"…" is not a usable URL: …': (
        "The server option `url` is no address of the form `https://host[:port][/path]`.",
        "`ALTER SERVER erp OPTIONS (SET url 'https://erp.example.com')`."),
    'could not resolve the host name "…"': (
        "The database's machine does not find the host of the option `url`.",
        "Correct the host, or mend the name service of that machine."),
    "… may not be asked: …": (
        "The setting `odoo_etl.allowed_hosts` does not allow the host, or it is a link-local address or one where clouds keep "
        "credentials.",
        "A superuser adds the host or its network to the setting."),
    "could not connect to …: …": (
        "Nothing accepts connections at that address.",
        "Check that Odoo runs there, the port in the option `url`, and the firewall."),
    "could not establish TLS with …: …": (
        "The certificate is not trusted, has expired or is for another name; or the port speaks plain HTTP.",
        "Name your own authority by the option `ca_file`, renew the certificate, or begin the `url` with `http://`."),
    "… timed out …, after … s": (
        "Odoo did not begin its answer, or did not end it, within the option `timeout`.",
        "Lower `page_size`, raise `timeout`, or look at Odoo's load."),
    "… does not answer, not even a small question, within … s each": (
        "After a timeout a small question was not answered either: Odoo hangs, has no free worker, or the network drops packets.",
        "Look at Odoo's workers and at the network."),
    "the connection to … broke: …": (
        "Odoo or a proxy closed the connection in the middle of an answer, as when a worker goes over `limit_time_real` or "
        "`limit_memory_hard`.",
        "Look at Odoo's log; lower `page_size`."),
    "… answered HTTP …": (
        "A proxy or Odoo answered with an error page. The HINT tells the common cause of the status: 404 a wrong `url` or database, "
        "403 a proxy that forbids the path, 429 a limit on requests, 502 to 504 an Odoo that is down or slower than the proxy waits.",
        "Correct the option, let the proxy pass `/jsonrpc`, `/xmlrpc/2`, `/json/2` and `/web`, or lower `readers` and `page_size`."),
    "… answered with a redirect": (
        "The address leads elsewhere, as from `http://` to `https://`. Redirects are not followed, as a secret would go along.",
        "Set the option `url` to the address in the DETAIL."),
    "the response is not valid …: …": (
        "What answered is not Odoo's API: a login page of a proxy, or an answer that something changed on the way.",
        "Check that the `url` leads to Odoo itself; the DETAIL shows how the answer begins."),
    "the response exceeds … MB": (
        "One answer is larger than `odoo_etl.max_response_size`.",
        "Lower `page_size`, read fewer fields, or raise the setting."),
    "the request was cancelled": (
        "The statement was canceled while it waited for Odoo.",
        "Run it again."),
    "a thread that reads from Odoo ended unexpectedly": (
        "This is a fault of the extension.",
        "Report it with the server's log."),
    "could not start a thread: …": (
        "The operating system gives the backend no more threads.",
        "Raise the limit of processes of the database's user, or lower the option `readers`."),
}

LOGIN = {
    'Odoo refused the login "…" to database "…"': (
        "The login or the secret is wrong, the API key has expired, the user is archived, or has two-factor authentication and no "
        "API key is used.",
        "Correct the user mapping. Then `SELECT odoo_resume()` if scheduled jobs were stopped."),
    "Odoo refuses every login from here for a while: …": (
        "Odoo saw several wrong passwords from this address and now refuses good ones, too.",
        "Wait a minute (Odoo's `base.login_cooldown_duration`), and find who uses a wrong password."),
    'Odoo asks the user "…" for a second factor': (
        "The option `protocol` is `web`, and the user has two-factor authentication.",
        "Make an API key in Odoo, set it as `api_key`, and set `protocol` to `auto`."),
    "the protocol web takes no API key": (
        "The option `protocol` is `web`, and the user mapping has an API key.",
        "Set `protocol` to `auto`, or use a password."),
    "… answered the login without the cookie of a session": (
        "A proxy strips cookies, or Odoo's `dbfilter` does not admit the database under this host name.",
        "Mend that, or set `protocol` to `auto`."),
    "… does not know the session that it gave for the login": (
        "Several Odoos behind one address keep their sessions apart.",
        "Let the proxy send a session to the Odoo that made it, or set `protocol` to `auto`."),
    'the Odoo user "…" is not in company …': (
        "The option `companies` names companies that are not the user's.",
        "Correct the option, or give the user the companies in Odoo."),
    'the language "…" is not installed in Odoo': (
        "The option `language` names one that Odoo does not have. The DETAIL lists those that it has.",
        "Install it in Odoo, or correct the option."),
    "server \"…\" is asked without encryption": (
        "The `url` begins with `http://` and leads to another machine, so login and secret travel in the open. This is a warning.",
        "Serve Odoo over TLS and set the option `url` to `https://…`."),
}

WORDS = {
    "Odoo refused …: …": (
        "The words behind the colon are Odoo's. The code tells the kind: `42501` the user may not read this, `HV00R` Odoo has no such "
        "model, `HV005` no such field, `3D000` no such database, `28000` the secret was changed meanwhile, `HV000` anything else.",
        "Give the Odoo user a group, or correct the name. For `HV000` Odoo's log has the whole traceback."),
    '"…" is no name of a …': (
        "A model or a method has a name that Odoo's cannot have, or begins with an underscore.",
        "Write it as Odoo does, such as `res.partner` and `action_confirm`."),
    "… cannot send arguments of … without their names": (
        "JSON-2 takes arguments of methods by name only.",
        "Give them in `kwargs`, the records as `\"ids\"`, or set `protocol` to `jsonrpc`."),
    "model … gives several records the same id": (
        "The model is a report whose ids repeat; Odoo would read one record in place of all.",
        "Read the models that the report is made of."),
    "… cannot send the character U+…": (
        "XML has no way to write that control character.",
        "Leave it out, or set `protocol` to `jsonrpc`."),
}

GROUPS = {"Reaching Odoo": REACH, "Logging in": LOGIN, "What Odoo refuses": WORDS}
