"""What an issue will look like: the email, the inbox, the plain text, the variants."""
