"""A webhook of the user's own: the JSON report, signed by the Standard Webhooks convention."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook as Signer

from incident_gate.notify.delivery import DeliveryError, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where the report goes, and the secret that signs it (`whsec_` and base64); without one it is not signed."""

    url: str = field(repr=False)
    secret: str = field(default="", repr=False)


def post(
    webhook: Webhook,
    document: str,
    service: Service,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    new_id: Callable[[], str] = lambda: f"msg_{uuid.uuid4().hex}",
) -> None:
    """Send a report.

    The id is the same for every try, so that the receiver can recognise a repeated message.

    Args:
        webhook: Where to.
        document: The JSON report.
        service: Sends it.
        now: The time of the signature.
        new_id: Makes the message's id.

    Raises:
        DeliveryError: The receiver did not take it.
    """
    message_id, time = new_id(), now()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(time.timestamp())),
    }
    if webhook.secret:
        headers["webhook-signature"] = Signer(webhook.secret).sign(message_id, time, document)
    answer = service.send("POST", webhook.url, headers=headers, body=document.encode(), repeatable=True)
    if answer.failed:
        raise DeliveryError(
            f"The webhook did not take the report: HTTP {answer.status}",
            "Check webhook and webhook-secret, and the receiver's log.",
        )
