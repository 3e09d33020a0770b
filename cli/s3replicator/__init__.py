"""The control plane: the command `s3replicator`, one folder per question that an operator asks.

    rules/     What is to be replicated, and can it be?          rules put | get | check | delete
    status/    What is pending, late or failed now?              status
    explain/   Why is an object replicated, or why not?          explain
    failures/  What failed, why, and how is it tried again?      failures list | redrive
    report/    How long did replication take, and was it         report
               within its threshold?
    demo/      What does it look like?                           make demo

In every folder `commands.py` reads the arguments and prints, with the help of `text_output.py` and `json_output.py`
where there is much to print. At most one module is an adapter to AWS. All others are values and decisions that know
neither AWS nor the terminal. Folders do not import each other. They share what is here:

    __main__.py            from the process's first line to its exit status: Ctrl-C, closed pipes, encodings
    main.py                the command line, where every command is registered
    permissions.py         the IAM actions that each command needs
    stack.py               finding the deployed stack; the options that all commands have
    stack_facts.py         a stack's parameters and outputs as a value
    operator_services.py   the data plane's services, with the operator's credentials
    rule_documents.py      the rule documents in the control bucket
    calls.py               turns AWS's errors into failed calls
    failed_calls.py        a failed call as a value: what failed, and what to do about it
    advice.py              what to do about each reason code
    findings.py            errors and warnings of checks
    addresses.py           bucket names and s3:// addresses
    formatting.py          durations, sizes, times and counts in words; texts that are safe to print
    output.py              printing, exit statuses, progress
    emulate_command.py     `s3replicator emulate`

The control plane imports the data plane (`replicator`), never the other way round.
"""
