"""Deploys Berth to an AWS account, asks it what AWS does not document, deletes it again: docs/aws-verification.md.

Standard library only, Python 3.9 or later.
"""
