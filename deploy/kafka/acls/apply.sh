#!/usr/bin/env bash
# Gives a user the ACLs of a role: apply.sh ROLE USER BOOTSTRAP_SERVERS [ADMIN.properties]
# Roles: worker, shadow (for a worker with a shadow_model, besides), replayer (dlq), verifier (verify), aggregate.
# Needs kafka-acls.sh of Apache Kafka in the path.
# Topics or a group with other names than the defaults: set them as in env GROUP_ID=my-group TOPICS_BOOKINGS=my.bookings …
set -euo pipefail

[[ $# -ge 3 ]] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
role="$1" user="$2" servers="$3"
admin=(); [[ $# -lt 4 ]] || admin=(--command-config "$4")
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

fill() { # the settings' names in a line, filled in
    sed -e "s/\${group_id}/${GROUP_ID:-stream-detector}/g" \
        -e "s/\${topics.bookings}/${TOPICS_BOOKINGS:-bookings}/g" \
        -e "s/\${topics.listing_updates}/${TOPICS_LISTING_UPDATES:-listing-updates}/g" \
        -e "s/\${topics.client_updates}/${TOPICS_CLIENT_UPDATES:-client-updates}/g" \
        -e "s/\${topics.violations}/${TOPICS_VIOLATIONS:-violations}/g" \
        -e "s/\${topics.scores}/${TOPICS_SCORES:-scores}/g" \
        -e "s/\${topics.shadow}/${TOPICS_SHADOW:-shadow-disagreements}/g" \
        -e "s/\${topics.reviews}/${TOPICS_REVIEWS:-reviews}/g" \
        -e "s/\${topics.partner_cases}/${TOPICS_PARTNER_CASES:-partner-cases}/g" \
        -e "s/\${topics.partner_cases_state}/${TOPICS_PARTNER_CASES_STATE:-partner-cases-state}/g" \
        -e "s/\${topics.partner_episodes_state}/${TOPICS_PARTNER_EPISODES_STATE:-partner-episodes-state}/g" \
        -e "s/\${topics.repeat_offenders}/${TOPICS_REPEAT_OFFENDERS:-repeat-offenders}/g" \
        -e "s/\${aggregation.group_id}/${AGGREGATION_GROUP_ID:-stream-detector-aggregate}/g" \
        -e "s/\${topics.replays}/${TOPICS_REPLAYS:-dead-letter-replays}/g" \
        -e "s/\${topics.dead_letter_suffix}/${TOPICS_DEAD_LETTER_SUFFIX:-.dlq}/g"
}

found=0
while IFS=, read -r _ resource name pattern operation; do
    found=1
    kafka-acls.sh --bootstrap-server "$servers" "${admin[@]}" --add --allow-principal "User:$user" \
        "--${resource//_/-}" "$name" --resource-pattern-type "$pattern" --operation "$operation" < /dev/null
done < <(grep "^$role," "$here/acls.csv" | fill)
[[ "$found" == 1 ]] || { echo "apply.sh: $role: no such role; there are worker, shadow, replayer, verifier and aggregate" >&2; exit 2; }
