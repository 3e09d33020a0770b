"""AWS on this machine: what `s3replicator emulate`, the demo and the tests run against.

It deploys the real template and runs the real handlers, and knows them only as AWS would: by the template and by their
code on disk. What the packages below do not answer is answered by moto (https://github.com/getmoto/moto).

    main               the command `s3replicator emulate`
    running            starts an emulator from a world; the handle that tests and the demo hold
    world/             the world file, and putting its buckets, stacks and rules in place
    serving/           HTTP: the server, the path of every request, the control endpoints
    cloudformation/    the SAM transform, intrinsic functions, stacks, one class per kind of resource
    functions/         Lambda: function processes, queue pollers, schedules, Invoke
    s3/                S3: one function per operation on objects, notifications and events
    services/          CloudWatch, EventBridge, SQS: moto's, corrected in a few points; what callers may do there
    clients, state     boto3 clients for the emulator's own calls; everything that one emulator knows
    fault_injection/   failing and slow calls, duplicated and reordered events
    calls/             one API call: read, answered, logged
    iam/               who makes a call, what it needs to be allowed, and what policies decide
    patching           replacing methods of moto
    threads            threads that can be ended while they start
    background         work that goes on after a request was answered

Each imports only those below it (contract `emulator-layers` in pyproject.toml). Accounts belong in `iam/`. A service
that moto gets right but for a few points, such as KMS, gets a module in `services/`; one with much behaviour of its
own, such as S3 Batch Operations, gets a package beside `s3/`.
"""
