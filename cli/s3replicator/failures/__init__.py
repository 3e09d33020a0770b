"""What failed, why, and how is it tried again? `s3replicator failures list|redrive`.

`queue_scan.py` reads every message of the dead-letter queue once; `failed_messages.py` filters and groups them;
`redrive.py` sends them to the change queue again; `sqs_dead_letter_queue.py` is the adapter to SQS.

Needs cloudformation:DescribeStacks; sqs:GetQueueAttributes, sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the
dead-letter queue. `redrive` also needs sqs:DeleteMessage there, and sqs:SendMessage on the change queue.
"""
