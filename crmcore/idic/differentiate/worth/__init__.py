"""What customers are worth: concentration, profit, cycles, priority, tiers, superfans, referrals, accounts, one record."""
