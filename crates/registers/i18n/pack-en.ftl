# The rules of the pack's registers.
pack-register-twice = the register “{ $value }” is also declared in { $first }
    .remedy = Give each register a code of its own.
pack-field-undeclared = no field “{ $value }” is declared
    .remedy = Declare the field, or name one that is declared.
pack-field-twice = the field “{ $value }” is declared twice
    .remedy = Take one of the two away.
pack-object-fields = “{ $value }” must be an object with fields, or have none
    .remedy = Give the field the type object, or take its fields away.
pack-service-twice = the service “{ $value }” is offered twice
    .remedy = Give each service a code of its own.
pack-once-no-link = records are issued once for each “{ $value }”, which is no link
    .remedy = Declare a link with that field.
