// An encrypted file in a folder with its manifest: what each damage is called, and what can be said without a key.
#include "crypto/x25519.h"
#include "engine/rekey.h"
#include "engine_backup_files.h"
#include "stream/packing.h"
#include "stream/vault.h"

using namespace backup_files;

namespace {

const std::string kName = "backup_20251012_162721.json.zst.age";

std::unique_ptr<Vault> vault_for(const Secret& recipient, const Secret* identity) {
    Vault::Given given;
    given.recipients.push_back(parse_recipient(recipient_of(recipient.reveal())));
    given.configured = true;
    if (identity != nullptr) given.secrets.identities = [key = *identity] { return std::vector<Secret>{key}; };
    return std::make_unique<Vault>(std::move(given));
}

// One encrypted backup, written as Backup does, and verified, so that there is a manifest.
struct Encrypted : Shelf {
    Encrypted() {
        use(&identity);
        const Made made;
        make(made);
        const std::string plain = text_of(made.name);
        store->remove(made.name);
        Packing packing;
        packing.compression = parse_compression("zstd", "compression");
        packing.seal_age = [this](Sink& below) { return vault->encrypted(below); };
        place.packing = packing;
        auto staged = store->create();
        const auto packer = make_packer(*staged, packing);
        packer->write(plain);
        packer->finish();
        staged->publish(kName);
        content = verify_file(*store, kName, true, context).manifest.sha256;
        sealed = text_of(kName);
        manifest = *store->read_state(manifest_key(kName));
    }
    void use(const Secret* with) {
        vault = vault_for(identity, with);
        context.vault = vault.get();
    }
    std::string reason_with(const std::string& bytes) {
        write_text(kName, bytes);
        store->write_state(manifest_key(kName), manifest);
        return reason_of([&] { verify_file(*store, kName, false, context); });
    }

    Secret identity = x25519_new_key();
    std::unique_ptr<Vault> vault;
    std::string sealed, manifest, content;
};

}  // namespace

TEST_CASE("S15: a cut at every byte of an encrypted file is called a cut") {
    Encrypted shelf;
    for (std::size_t size = 0; size < shelf.sealed.size(); ++size) {
        CAPTURE(size);
        CHECK(shelf.reason_with(shelf.sealed.substr(0, size)) == "file_truncated");
    }
    CHECK(shelf.reason_with(shelf.sealed) == "nothing_thrown");
}

TEST_CASE("S15: a flipped bit anywhere in an encrypted file is called damage, with a key and without one") {
    Encrypted shelf;
    for (const Secret* with : {static_cast<const Secret*>(&shelf.identity), static_cast<const Secret*>(nullptr)}) {
        shelf.use(with);
        for (std::size_t bit = 0; bit < shelf.sealed.size() * 8; ++bit) {
            std::string damaged = shelf.sealed;
            damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
            const std::string reason = shelf.reason_with(damaged);
            const bool told = reason == "file_damaged" || reason == "encryption_invalid" || reason == "encryption_forged" ||
                              reason == "encryption_unknown" || reason == "not_a_backup" || reason == "armor_invalid";
            CHECK_MESSAGE(told, "bit ", bit, ": ", reason);
        }
    }
}

TEST_CASE("without a key a file is intact or damaged, never verified") {
    Encrypted shelf;
    shelf.use(nullptr);
    const VerifyResult intact = verify_file(*shelf.store, kName, false, shelf.context);
    CHECK(intact.intact_only);
    CHECK(intact.manifest.sha256 == shelf.content);
    shelf.store->remove_state(manifest_key(kName));
    CHECK(reason_of([&] { verify_file(*shelf.store, kName, false, shelf.context); }) == "key_missing");
    const auto items = shelf.examined();
    REQUIRE(items.size() == 1);
    CHECK_FALSE(items[0].manifest);
    CHECK(items[0].problem_reason == "key_missing");
    CHECK_FALSE(shelf.store->read_state("problems/" + kName + ".json"));  // a key may come
}

TEST_CASE("a wrong key is called a wrong key while the bytes are those that were stored") {
    Encrypted shelf;
    const Secret other = x25519_new_key();
    shelf.use(&other);
    CHECK(reason_of([&] { verify_file(*shelf.store, kName, false, shelf.context); }) == "key_wrong");
}

TEST_CASE("rekey keeps id, content hash, decisions and latest, and shuts the old key out") {
    Encrypted shelf;
    Manifest pinned = manifest_from_json(parse_json(shelf.manifest));
    pinned.pinned = true;
    shelf.store->write_state(manifest_key(kName), manifest_to_json(pinned).text());
    set_latest(*shelf.store, kName);
    const Secret old = shelf.identity;
    shelf.identity = x25519_new_key();
    shelf.use(&old);  // opens with the old key, writes for the new one
    const RekeyResult made = rekey(shelf.place, kName, shelf.context);
    CHECK(made.manifest.sha256 == shelf.content);
    CHECK(made.manifest.id == pinned.id);
    CHECK(made.manifest.pinned);
    CHECK(latest_name(*shelf.store) == made.manifest.name);
    CHECK(shelf.names() == std::vector<std::string>{made.manifest.name});
    shelf.use(&old);
    CHECK(reason_of([&] { verify_file(*shelf.store, made.manifest.name, false, shelf.context); }) == "key_wrong");
    shelf.use(&shelf.identity);
    CHECK(verify_file(*shelf.store, made.manifest.name, false, shelf.context).manifest.sha256 == shelf.content);
}
