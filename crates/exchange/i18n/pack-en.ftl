# The rules of the pack's agreements.
pack-agreement-twice = the number “{ $value }” is also that of { $first }
    .remedy = Give each agreement a number of its own.
pack-agreement-item-empty = “{ $value }” says nothing
    .remedy = Say what the parties agreed: it is one of the twelve items of article 38, Decree 47/2020/NĐ-CP.
pack-system-id = “{ $value }” is no system
    .remedy = Write organisation/system: G22/portal.
pack-service-of-another = “{ $value }” is no service of the provider
    .remedy = Correct the provider or the service.
pack-terms-twice = the day “{ $value }” has a rule already
    .remedy = Keep one rule for a day.
pack-terms-days = { $value } is no number of working days
    .remedy = Write a whole number from 1 to 250.
pack-retention-days = { $value } is no number of days
    .remedy = Write a whole number from 0 to 73,000; 0 leaves the term to the operator.
pack-retention-name = “{ $value }” is no name of a retention class
    .remedy = Give the class a name of its own; “operator” is the class of what no class is about.
