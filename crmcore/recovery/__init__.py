"""Recovery: put it right for the customer, the process and the employee."""
