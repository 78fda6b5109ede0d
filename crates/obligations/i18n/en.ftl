# What is owed: what is told when something cannot be done.
problem-obligation-lifted = This is no longer owed
    .rule = What was lifted cannot be recorded as done.
    .remedy = Reload the page to see where the case stands now.
problem-obligation-met = This was already done
    .rule = What was done cannot be lifted.
    .remedy = Reload the page to see where the case stands now.
