"""Large objects: how they are divided into parts, what that costs, and multipart uploads as values.

Start with layout.py, which chooses how an object is copied. It asks parts.py for what S3 allows and cost.py for what a
choice takes. uploads.py holds what the journal and the part queue say about one upload.
"""
