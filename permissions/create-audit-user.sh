#!/usr/bin/env bash
# Makes a user that may audit this account and nothing else, or brings an existing one up to date: a group with the read-only
# policies, and the user in it. Needs the AWS CLI with the credentials of an administrator. It makes no access key.
#
# usage: permissions/create-audit-user.sh [USER]      (default: auditest)
#
# A role (permissions/scan-role.yaml) is better where there is something to assume it with: its credentials expire.
set -euo pipefail

user=${1:-auditest}
group=auditest
policy=$(dirname "$0")/auditest-additional.json

if [[ $# -gt 1 || ! $user =~ ^[A-Za-z0-9+=,.@_-]{1,64}$ ]]; then
  echo "usage: $0 [USER]: a name of letters, digits and +=,.@_-" >&2
  exit 2
fi

partition=$(aws sts get-caller-identity --query Arn --output text | cut -d: -f2)

# Looking first makes the script repeatable; what it looks for may be missing, so the message about that is left out.
aws iam get-group --group-name "$group" >/dev/null 2>&1 || aws iam create-group --group-name "$group" >/dev/null
for managed in SecurityAudit job-function/ViewOnlyAccess; do
  aws iam attach-group-policy --group-name "$group" --policy-arn "arn:$partition:iam::aws:policy/$managed"
done
aws iam put-group-policy --group-name "$group" --policy-name auditest-additional --policy-document "file://$policy"

aws iam get-user --user-name "$user" >/dev/null 2>&1 || aws iam create-user --user-name "$user" >/dev/null
aws iam add-user-to-group --group-name "$group" --user-name "$user"

echo "The user $user can audit this account. Next, an access key: aws iam create-access-key --user-name $user"
