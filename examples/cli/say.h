// The sentences of the command. `python -m reprise` says the same ones: bindings/python/src/reprise/_say.py; change both.
#pragma once

#include <string>

#include "json.h"
#include "words.h"

namespace cli {

Lines say_backup(const Value& result, const std::string& database);
Lines say_list(const Value& result, const std::string& directory);
Lines say_show(const Value& result);
Lines say_verify(const Value& result);
Lines say_restore(const Value& result);
Lines say_auto(const Value& result);
Lines say_rehash(const Value& result);
Lines say_rekey(const Value& result);
Lines say_forget(const Value& result);
Lines say_marked(const Value& entry, const std::string& verb);
Lines say_preview(const Value& result);
Lines say_deleted(const Value& result);
Lines say_audit(const Value& result);
Lines say_status(const Value& result);

}  // namespace cli
