"""Real origins that tell which of their handlers ran: `admin` for what they take for `/admin`, else another name."""
