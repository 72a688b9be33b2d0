# shellcheck shell=bash
# Sourced by storaged-backup and storaged-restore: the bucket of the settings as rclone knows it, in `bucket`.

export RCLONE_CONFIG_STORAGED_TYPE=s3 RCLONE_CONFIG_STORAGED_PROVIDER=Other RCLONE_CONFIG_STORAGED_ENV_AUTH=false
RCLONE_CONFIG_STORAGED_ACCESS_KEY_ID=$(secret s3.access-key)
RCLONE_CONFIG_STORAGED_SECRET_ACCESS_KEY=$(secret s3.secret-key)
RCLONE_CONFIG_STORAGED_SESSION_TOKEN=$(secret s3.session-token)
export RCLONE_CONFIG_STORAGED_ACCESS_KEY_ID RCLONE_CONFIG_STORAGED_SECRET_ACCESS_KEY RCLONE_CONFIG_STORAGED_SESSION_TOKEN
RCLONE_CONFIG_STORAGED_REGION=$(setting s3.region)
RCLONE_CONFIG_STORAGED_ENDPOINT=$(setting s3.endpoint)
# Amazon's own of the region, which rclone knows.
if [[ $RCLONE_CONFIG_STORAGED_ENDPOINT == amazon ]]; then
    RCLONE_CONFIG_STORAGED_ENDPOINT='' RCLONE_CONFIG_STORAGED_PROVIDER=AWS
fi
RCLONE_CONFIG_STORAGED_FORCE_PATH_STYLE=$(setting s3.path-style)
export RCLONE_CONFIG_STORAGED_REGION RCLONE_CONFIG_STORAGED_ENDPOINT RCLONE_CONFIG_STORAGED_FORCE_PATH_STYLE
# No file of somebody's own settings.
export RCLONE_CONFIG=''
prefix=$(setting s3.prefix)
[[ $prefix != none ]] || prefix=''
# shellcheck disable=SC2034
bucket="storaged:$(setting s3.bucket)${prefix:+/$prefix}"
