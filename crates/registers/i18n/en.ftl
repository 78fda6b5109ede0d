# Who read my data
registers-usage-title = Who read my data
registers-usage-lead = Every time an agency reads your record in the national population register, it is noted here: which agency, what for, on what legal basis.
registers-usage-empty = No agency has read your data yet.
registers-usage-end = There are no earlier reads.
registers-usage-when = When
registers-usage-who = Agency and system
registers-usage-why = Purpose and legal basis
registers-usage-what = What was read
registers-usage-case = Case
registers-usage-request = Exchange id
registers-usage-older = Earlier reads
registers-usage-newest = Newest reads
registers-usage-pages = Pages
registers-usage-by-citizen = at a citizen's request
registers-usage-by-official = at an official's request
registers-usage-by-system = by a system on its own

# Problems of the registers
problem-record-not-found = No such record
    .rule = The register has no record for what was given, at the time asked about.
    .remedy = Check the personal number or the code and look it up again.
problem-record-no-field = The agreement does not allow this
    .rule = The data-sharing agreement grants no field of this register.
    .remedy = Ask the agency that keeps the register to add the field to the agreement.
problem-record-lookup-key = Exactly one key is needed
    .rule = A lookup takes exactly one of these keys: { $keys }.
    .remedy = Send one key only and look it up again.
problem-record-field-unknown = The field is not declared
    .rule = The register has no such field.
    .remedy = Leave the field out or correct its name, and send it again.
problem-record-field-assigned = The register gives this itself
    .rule = The register gives the value of this field itself and takes none from outside.
    .remedy = Leave the field out and send it again.
problem-record-field-required = Information is missing
    .rule = This is required.
    .remedy = Add it and send it again.
problem-record-field-kind = The wrong kind of value
    .rule = This field must be { $kind ->
        [text] a line of text
        [number] a whole number
        [date] a date, year-month-day
        [code] a code
        [person] a personal identification number
        [business] an organisation’s tax code
        [flag] true or false
       *[object] a group of fields
    }.
    .remedy = Correct the value as the interface description says, and send it again.
problem-record-text-long = The text is too long
    .rule = This field takes at most { $max } characters.
    .remedy = Shorten the text and send it again.
problem-record-code-unknown = The code is not valid
    .rule = This code is not one of the field's values.
    .remedy = Choose a code from the list and send it again.
problem-record-date-bad = The date is wrong
    .rule = There is no such day in the calendar; a date is written year-month-day, for example 2026-11-21.
    .remedy = Check day, month and year, and send it again.
problem-record-date-future = The date is in the future
    .rule = This date cannot be after today.
    .remedy = Check day, month and year, and send it again.
problem-record-number-bad = The personal identification number is wrong
    .rule = A personal identification number has exactly 12 digits.
    .remedy = Look at the identity card and enter the number again.
problem-record-change-undone = This was taken back
    .rule = What this case changed in the register was taken back, and is not changed by the same case again.
    .remedy = Ask for it with a new case.
problem-record-changed-since = It has changed since
    .rule = A change is taken back only while nothing else has changed in the same record.
    .remedy = Look at the record as it is now and correct it with a new case.
problem-record-business-bad = The tax code is wrong
    .rule = An organisation’s tax code has 10 digits, the last one checks the others; a branch has a hyphen and 3 more.
    .remedy = Look at the certificate of registration and enter the code again.
problem-record-number-misfit = The number does not fit this person
    .rule = By Decree 137/2015/NĐ-CP the personal number carries century, sex and year of birth; the { $what ->
        [sex] sex
       *[year] year of birth
    } in this number is not the one given.
    .remedy = Compare number, date of birth and sex with the papers, and correct what is wrong.
problem-record-place-unknown = The place of birth is not known
    .rule = A personal number needs the code of the province where the birth is registered.
    .remedy = Choose the place of birth or of registration from the list of administrative units.
problem-record-key-missing = The idempotency key is missing
    .rule = A request that changes another agency's data must carry an idempotency key.
    .remedy = Send the request again with the key of this change.
problem-record-key-reused = The idempotency key belongs to another request
    .rule = An idempotency key stands for one request with one content.
    .remedy = Send the content of the first request again, or withdraw that request before sending a new one.
problem-record-numbers-used-up = There is no number left to give
    .rule = No free number was found for this place, sex and year of birth.
    .remedy = Try again; if it still fails, tell the agency that keeps the population register.
problem-record-number-refused = The number received cannot be used
    .rule = The population register answered with a number that does not fit the child; the number was given back.
    .remedy = Send the request again; if it still fails, tell the agency that keeps the population register.
problem-record-book-not-yours = Another organisation's book
    .rule = Only the organisation that holds the book { $book } writes in it.
    .remedy = Send the case to the organisation that holds the book, or correct the place of registration.
problem-record-act-withdrawn = The registration was withdrawn
    .rule = This registration was withdrawn while it was under way; the personal number was given back.
    .remedy = Look at the case; if the registration is still wanted, send the request again.
problem-record-act-there = This child’s birth is registered
    .rule = A child has one act and one personal number: there is act { $act } in the book of { $book }.
    .remedy = Look at that act, and give a copy of it where one is needed. If it is another child, put the name right.
