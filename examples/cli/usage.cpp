#include "arguments.h"

namespace cli {

const char usage_text[] = R"(usage: reprise COMMAND [OPTION…]

  backup               save the database to one file of the folder
  before REASON        the same before risky work: not rotated away for a time
  list                 the backups of the folder, newest first
  show [FILE]          what is in a backup
  cat [FILE]           a backup as plain JSON, checked while it is read
  verify [FILE]        read a backup to its end and check it
  restore [FILE]       put a backup back, all or nothing, after a safety backup
  preview [FILE]       what the restore with the same options would do; reads only
  auto                 bring the data back when the database is empty: for startup
  rehash FILE          make a new backup of a file that was edited on purpose
  rekey FILE           encrypt a backup anew for the recipients of today; the old file goes
  keygen FILE          a new key: the secret into FILE (mode 0600), its recipient to stdout
  accept FILE          a suspect backup, or the collections that a good one lost, are right after all
  pin FILE             never remove it; unpin FILE takes that back
  forget               remove the backups that no rule keeps; --dry-run only tells which and why
  delete FILE          remove one backup, unless it is the newest good one, the latest, or pinned
  status               the folder at a glance
  audit                who did what; checks that no line of the log was changed or taken out

FILE is a name or path in the folder; without it, the latest backup.

environment:
  MONGO_URL            where the database is, e.g. mongodb://127.0.0.1:27017
  DB_NAME              its name (test_database)
  BACKUP_DIR           the folder (/app/data/backups)
  BACKUP_COMPRESSION   none, gzip or zstd; with a level as in zstd:3 (none)
  BACKUP_RECIPIENTS    age1…,age1…: backups are encrypted for them (age)
  BACKUP_IDENTITY_FILE, BACKUP_PASSPHRASE_FILE   open them; the passphrase also encrypts
                       where there are no recipients
  BACKUP_SIGNING_KEY_FILE   Ed25519, PEM: backups are signed, and only signed ones believed

options of every command:
  --json               one JSON object on stdout and nothing else
  --database NAME      instead of DB_NAME
  --directory DIR      instead of BACKUP_DIR
  --no-progress        no progress bar
  --verbose            what the library says meanwhile, on stderr
  --help, --version

backup:   --label TEXT  --include NAME…  --exclude NAME…  --profile readable|portable
          --require-snapshot  --accept-smaller  --no-retention  --wait SECONDS
before:   --keep-days N  --profile readable|portable  --require-snapshot
          --accept-smaller  --wait SECONDS
both:     --sentinel COLLECTION  --collection NAME…  --minimum DOCUMENTS: what must not
          have been lost; without them, and without --keep-…, as the folder's host has it
forget:   --dry-run  --wait SECONDS
backup, forget:
          --keep-last N  --keep-hourly N  --keep-daily N  --keep-weekly N  --keep-monthly N
          --keep-yearly N  --keep-within SPAN, as 2y5m7d3h  --max-total-bytes N
restore:  --merge  --exact  --include NAME…  --exclude NAME…  --to-database NAME
          --to-mongo-url-env VARIABLE  --other-database  --adopt  --no-safety-backup
          --allow-unsharded  --non-unique  --without-majority  --abandon-unfinished
          --accept-unsigned  --wait SECONDS
preview:  as restore
keygen:   --signing (Ed25519 instead of age)
auto:     --retry  --sentinel COLLECTION  --collection NAME…  --whole-database
          --minimum DOCUMENTS  --start-anyway  --wait SECONDS
accept, pin, unpin, delete:  --wait SECONDS
audit:    --limit LINES (100), the newest

exit codes: 0 done · 1 failed · 2 wrong usage or configuration · 3 somebody else is at work
  4 refused by a rule (a suspect backup too) · 5 a file, or the audit log, is damaged or not ours
  6 the server cannot be reached · 7 no permission · 8 not found · 130 interrupted
)";

}  // namespace cli
