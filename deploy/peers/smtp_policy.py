"""The policy of the test mail server: what it takes goes into a Maildir.

The local part of a recipient's address tells what becomes of a message, so
that one server shows every answer: "busy" is put off, "unknown" is refused;
"spam" and "full" are refused and put off after the message was sent.
AUTH PLAIN, which the server offers after STARTTLS, takes USER and PASSWORD.
"""

import base64

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = b"imdad", b"secret"


class Policy(Mailbox):
    async def handle_RCPT(self, server, session, envelope, address, options):
        local = address.partition("@")[0]
        if local == "busy":
            return "451 4.2.1 Mailbox busy, try again later"
        if local == "unknown":
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        local = envelope.rcpt_tos[0].partition("@")[0]
        if local == "spam":
            return "554 5.7.1 Message refused"
        if local == "full":
            return "452 4.2.2 Mailbox full"
        return await super().handle_DATA(server, session, envelope)

    async def auth_PLAIN(self, server, args):
        given = args[1] if len(args) > 1 else None
        login = base64.b64decode(given) if given else await server.challenge_auth("")
        return AuthResult(success=login == b"\0" + USER + b"\0" + PASSWORD, handled=False)
