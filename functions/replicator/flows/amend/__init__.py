"""Changes after the write: tags, ACL, lock and annotations of a version and of its replicas."""
