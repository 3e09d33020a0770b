"""Which test raises which reason code through the emulator; a house test holds that none is missing.

Paths are those of modules in `tests`. A code is raised by an object, a message or a task, and seen where people see it:
in the log, the journal, metrics, the dead-letter queue or a job's report.
"""

from collections.abc import Mapping

RAISES: Mapping[str, tuple[str, ...]] = {
    "emulator/test_reason_codes.py::test_what_is_skipped_by_design_says_why": (
        "DeleteMarkersNotSelected",
        "EventNotReplicated",
        "SrcObjectNotEligible",
        "SrcVersionNotFound",
        "WrittenByReplicator",
    ),
    "emulator/test_demo.py::test_each_object_has_its_status_latency_and_reason": ("NoMatchingRule",),
    "emulator/test_rule_features.py::test_objects_encrypted_with_kms_are_skipped_unless_the_rule_selects_them": (
        "SseKmsObjectsNotSelected",
    ),
    "emulator/test_reason_codes.py::test_a_change_that_would_inherit_a_long_chain_begins_one_of_its_own": (
        "ChainTooLong",
    ),
    "emulator/test_batch_operations.py::test_a_job_replicates_what_s3_replicated_here_if_it_asks": ("SourceIsReplica",),
    "emulator/test_reason_codes.py::test_an_archived_object_is_replicated_once_it_is_restored": (
        "SrcObjectBeingRestored",
    ),
    "emulator/test_reason_codes.py::test_what_a_job_names_in_vain_says_so": ("SrcObjectNotFound",),
    "emulator/test_reason_codes.py::test_what_waits_says_why_and_completes_once_the_cause_is_gone": (
        "AnswerNotReadable",
        "ConcurrentWrites",
        "RulesUnreadable",
        "ServiceError",
        "Throttled",
        "TimedOut",
        "UnknownError",
    ),
    "emulator/test_large_trouble.py::test_status_shows_how_many_parts_of_a_large_object_are_copied": ("PartsUnderWay",),
    "emulator/test_assumed_roles.py::test_a_role_that_may_not_be_assumed_fails_changes_with_that_reason": (
        "AssumeRoleNotPermitted",
    ),
    "emulator/test_denied_codes.py::test_a_journal_that_may_not_be_written_keeps_changes_waiting": (
        "JournalNotPermitted",
    ),
    "emulator/test_fairness.py::test_an_object_of_a_quiet_bucket_does_not_wait_for_those_of_a_busy_one": (
        "SrcBucketOverItsShare",
    ),
    "emulator/test_reason_codes.py::test_a_late_replica_says_that_it_waited_on_the_queue": ("WaitedOnQueue",),
    "emulator/test_after_the_write.py::test_a_replica_that_was_deleted_for_good_fails_once_and_stays_away": (
        "DstVersionNotFound",
    ),
    "emulator/test_owner_codes.py::test_a_later_change_waits_for_the_lease_of_its_key": ("BeingSynchronised",),
    "emulator/test_owner_codes.py::test_a_later_change_waits_for_the_parts_of_its_version": ("VersionNotCopiedYet",),
    "emulator/test_owner_codes.py::test_what_may_not_be_written_to_a_source_fails_until_it_may": (
        "SrcPutAclNotPermitted",
        "SrcPutLegalHoldNotPermitted",
        "SrcPutRetentionNotPermitted",
        "SrcPutTaggingNotPermitted",
    ),
    "emulator/test_owner_codes.py::"
    "test_annotations_that_may_not_be_written_to_a_source_are_left_out_and_the_log_says_why": (
        "SrcPutAnnotationNotPermitted",
    ),
    "emulator/test_owner_codes.py::test_a_change_whose_owner_may_not_be_told_fails_until_it_may": (
        "OwnerQueueNotPermitted",
    ),
    "emulator/test_owner_codes.py::test_a_change_whose_owner_is_not_known_fails_until_rules_are_put_again": (
        "OwnerQueueUnknown",
    ),
    "emulator/test_denied_codes.py::test_annotations_without_permission_are_left_out_and_the_log_says_why": (
        "DstPutAnnotationNotPermitted",
        "SrcGetAnnotationNotPermitted",
    ),
    "emulator/test_trouble.py::"
    "test_malformed_messages_end_in_the_dead_letter_queue_and_other_messages_are_replicated": ("MalformedEvent",),
    "emulator/test_watching.py::test_a_message_that_kills_its_function_every_time_fails_with_that_reason": (
        "FunctionDied",
    ),
    "emulator/test_reason_codes.py::test_what_a_bucket_lacks_fails_until_it_has_it": (
        "DstBucketNotFound",
        "DstBucketObjectLockConfigMissing",
        "DstBucketUnversioned",
    ),
    "emulator/test_reason_codes.py::test_an_object_without_room_for_its_origin_is_replicated_without_one_of_its_tags": (
        "NoRoomForOrigin",
    ),
    "emulator/test_reason_codes.py::"
    "test_a_large_object_whose_metadata_cannot_be_sent_is_replicated_when_it_is_uploaded_with_others": (
        "SrcMetadataNotReadable",
    ),
    "emulator/test_reason_codes.py::test_what_is_in_a_source_bucket_that_was_deleted_fails": ("SrcBucketNotFound",),
    "emulator/test_reason_codes.py::test_a_cause_has_its_code_and_a_redrive_cures_once_it_is_gone": (
        "DstBucketInvalidRegion",
        "ObjectExceedsSingleCopyLimit",
        "OperationNotImplemented",
        "SrcBucketInvalidRegion",
    ),
    "emulator/test_large_trouble.py::"
    "test_a_large_object_that_is_denied_or_refused_fails_once_with_its_reason_and_can_be_redriven": (
        "ChecksumMismatch",
        "DstMultipartCompleteNotPermitted",
        "DstMultipartUploadNotPermitted",
        "RequestRefused",
    ),
    "emulator/test_key_trouble.py::test_a_key_that_cannot_be_used_before_the_copy_is_named_with_its_side": (
        "DstKmsKeyInvalidState",
        "SrcKmsKeyInvalidState",
    ),
    "emulator/test_key_trouble.py::test_a_key_that_a_rule_names_wrongly_is_the_destinations": ("DstKmsKeyNotFound",),
    "emulator/test_denied_codes.py::test_a_missing_permission_has_its_code_and_a_redrive_cures_once_it_is_there": (
        "DstBucketNotPermitted",
        "DstDelObjNotPermitted",
        "DstGetObjectNotPermitted",
        "DstKmsKeyNotPermitted",
        "DstMultipartInitNotPermitted",
        "DstPutAclNotPermitted",
        "DstPutLegalHoldNotPermitted",
        "DstPutObjectNotPermitted",
        "DstPutRetentionNotPermitted",
        "DstPutTaggingNotPermitted",
        "SrcBucketNotPermitted",
        "SrcGetAclNotPermitted",
        "SrcGetLegalHoldNotPermitted",
        "SrcGetObjectNotPermitted",
        "SrcGetRetentionNotPermitted",
        "SrcGetTaggingNotPermitted",
        "SrcHeadObjectNotPermitted",
        "SrcKmsKeyNotPermitted",
    ),
}
"""The test -> the codes that it raises."""
