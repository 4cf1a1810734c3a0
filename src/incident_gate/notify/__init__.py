"""Messages to people: Slack, a webhook of the user's own, and a comment on the pull request."""
