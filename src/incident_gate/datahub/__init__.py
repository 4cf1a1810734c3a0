"""DataHub as the gate sees it: what is asked, how it travels, what comes back."""
