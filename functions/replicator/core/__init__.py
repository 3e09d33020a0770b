"""The pure part: values, rules and the decision. No client, no clock, no environment, no logging."""
