"""Service recovery: what went wrong is put right for the customer, in the process, and with the staff."""
