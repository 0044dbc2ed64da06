#include "admin/words.h"

#include <cstdlib>

namespace reprise {
namespace {

struct Words {
    const char* key;
    const char* french;
    const char* english;
};

constexpr Words kReasons[] = {
    {"not_authenticated", "Authentification requise.", "Authentication is required."},
    {"not_admin", "Réservé aux administrateurs.", "Only administrators may do this."},
    {"too_many_failures", "Trop d'échecs d'authentification depuis cette adresse ; réessayez plus tard.",
     "Too many failed authentications from this address; try again later."},
    {"cross_site", "Requête refusée : elle ne vient pas de cette application.",
     "Refused: the request does not come from this application."},
    {"route_unknown", "Cette adresse n'existe pas.", "There is nothing at this address."},
    {"method_not_allowed", "Cette méthode n'est pas permise ici ; utilisez celle que nomme l'en-tête Allow.",
     "This method is not allowed here; use the one that the header Allow names."},
    {"body_too_large", "Le corps de la requête dépasse 64 Kio.", "The body of the request is larger than 64 KiB."},
    {"body_invalid", "Le corps de la requête n'est pas du JSON valide.", "The body of the request is not valid JSON."},
    {"file_missing", "Cette sauvegarde n'existe pas.", "There is no such backup."},
    {"name_invalid", "Ce nom de fichier n'est pas accepté.", "This file name is not accepted."},
    {"job_unknown", "Cette opération est inconnue.", "There is no such job."},
    {"lease_held", "Une autre opération est en cours.", "Another operation is running."},
    {"folder_locked", "Une autre opération est en cours.", "Another operation is running."},
    {"file_truncated", "Le fichier est incomplet.", "The file is cut off."},
    {"hash_mismatch", "Le fichier a été modifié depuis son écriture.", "The file changed since it was written."},
    {"digest_mismatch", "Le contenu ne correspond pas à ce qui était attendu.", "The content is not what it should be."},
    {"not_a_backup", "Ce fichier n'est pas une sauvegarde.", "This file is not a backup."},
    {"key_missing", "La clé nécessaire n'est pas configurée, ou un champ manque.", "The key that is needed is not there."},
    {"key_unknown", "La requête contient un champ inconnu.", "The request holds an unknown field."},
    {"key_wrong", "La clé configurée n'ouvre pas ce fichier.", "The configured key does not open this file."},
    {"database_missing", "La base de données n'existe pas encore.", "The database does not exist yet."},
    {"database_changing", "La base de données ne cesse de changer ; arrêtez les écritures et recommencez.",
     "The database keeps changing; stop the writers and try again."},
    {"disk_full", "Le disque est plein.", "The disk is full."},
    {"file_protected", "Ce fichier est protégé et n'est pas supprimé.", "This file is protected and is not deleted."},
    {"not_started", "L'application n'a pas démarré reprise : utilisez lifespan(reprise).",
     "The application did not start reprise: use lifespan(reprise)."},
};

constexpr Words kCodes[] = {
    {"invalid_argument", "La requête n'est pas valide.", "The request is not valid."},
    {"invalid_config", "La configuration n'est pas valide.", "The configuration is not valid."},
    {"not_found", "Introuvable.", "Not found."},
    {"busy", "Une autre opération est en cours.", "Another operation is running."},
    {"cancelled", "L'opération a été annulée.", "The operation was cancelled."},
    {"timed_out", "Le délai est dépassé.", "It took too long."},
    {"unavailable", "Le serveur MongoDB ne répond pas.", "The MongoDB server does not answer."},
    {"denied", "Un droit manque sur le serveur ou le dossier.", "A permission is missing on the server or the folder."},
    {"corrupt", "Le fichier est endommagé.", "The file is damaged."},
    {"refused", "Une règle de sécurité s'y oppose.", "A safety rule says no."},
    {"io", "Le système de fichiers a signalé une erreur.", "The file system reported an error."},
    {"server", "Le serveur MongoDB a signalé une erreur.", "The MongoDB server reported an error."},
    {"unsupported", "Ce n'est pas pris en charge.", "This is not supported."},
};

constexpr Words kPhrases[] = {
    {"", "Backup créé avec succès", "Backup created"},
    {"", "Backup restauré avec succès", "Backup restored"},
    {"", "Backup vérifié avec succès", "Backup verified"},
    {"", "Backup fusionné avec succès", "Backup merged"},
    {"", "Annulation demandée", "Asked to stop"},
    {"", "Modification enregistrée", "Saved"},
    {"", "Backup supprimé", "Backup deleted"},
    {"", "Opération lancée", "Started"},
    {"", "Aperçu prêt, rien n'a été modifié", "Preview ready, nothing was changed"},
};

const char* in(const Words& words, Language language) { return language == Language::french ? words.french : words.english; }

template <std::size_t N>
const char* find(const Words (&table)[N], std::string_view key, Language language) {
    for (const auto& words : table)
        if (key == words.key) return in(words, language);
    return nullptr;
}

// One range of the header: its weight for the language `tag`; negative when it says nothing of it.
double weight_of(std::string_view range, std::string_view tag) {
    const std::size_t end = range.find(';');
    std::string_view name = range.substr(0, end);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    const bool fits = name == "*" || (name.size() >= 2 && (name[0] | 32) == tag[0] && (name[1] | 32) == tag[1] &&
                                      (name.size() == 2 || name[2] == '-'));
    if (!fits) return -1;
    const std::size_t equals = end == std::string_view::npos ? end : range.find('=', end);  // q is the one parameter
    if (equals == std::string_view::npos) return 1;
    // Three digits at most; no locale is asked for the decimal point.
    std::string_view digits = range.substr(equals + 1);
    double value = !digits.empty() && digits[0] == '1' ? 1 : 0, place = 0.1;
    for (std::size_t i = 2; i < digits.size() && i < 5 && digits[i] >= '0' && digits[i] <= '9'; ++i, place /= 10)
        if (value < 1) value += place * (digits[i] - '0');
    return value;
}

double best_weight(std::string_view header, std::string_view tag) {
    double best = -1;
    while (!header.empty()) {
        const std::size_t comma = header.find(',');
        const double weight = weight_of(header.substr(0, comma), tag);
        if (weight > best) best = weight;
        if (comma == std::string_view::npos) break;
        header.remove_prefix(comma + 1);
    }
    return best;
}

}  // namespace

Language choose_language(const std::string* accept_language) {
    if (accept_language == nullptr) return Language::french;
    const double english = best_weight(*accept_language, "en");
    return english > 0 && english > best_weight(*accept_language, "fr") ? Language::english : Language::french;
}

const char* language_tag(Language language) { return language == Language::french ? "fr" : "en"; }

std::string title_for(const Failure& failure, Language language) {
    if (const char* text = find(kReasons, failure.reason, language)) return text;
    if (const char* text = find(kCodes, code_name(failure.code), language)) return text;
    return language == Language::french ? "Une erreur interne est survenue." : "An internal error occurred.";
}

std::string phrase(Phrase which, Language language) { return in(kPhrases[static_cast<std::size_t>(which)], language); }

}  // namespace reprise
