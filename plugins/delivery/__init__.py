"""Reports and findings elsewhere: a bucket, Security Hub."""
