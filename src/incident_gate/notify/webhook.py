"""A webhook of the user's own: the JSON report, signed by the Standard Webhooks convention."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from incident_gate.errors import Hint
from incident_gate.notify.delivery import DeliveryError, Service
from incident_gate.settings import Notify


def post(
    where: Notify, document: str, service: Service, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Send a report, signed where there is a secret (`whsec_` and base64).

    The id is the same for every try, so that the receiver can recognise a repeated message.
    """
    message_id, time = f"msg_{uuid.uuid4().hex}", now()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(time.timestamp())),
    }
    if where.webhook_secret:
        headers["webhook-signature"] = Webhook(where.webhook_secret).sign(message_id, time, document)
    answer = service.send("POST", where.webhook_url, headers=headers, body=document.encode(), repeatable=True)
    if answer.failed:
        raise DeliveryError(
            f"The webhook did not take the report: HTTP {answer.status}",
            Hint("Check {webhook-url} and {webhook-secret}, and the receiver's log."),
        )
