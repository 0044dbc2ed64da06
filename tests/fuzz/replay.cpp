// Runs a fuzz target without libFuzzer: every seed, and mutations of it by a fixed generator, so that every build and both
// sanitizers go through the same inputs. With clang, REPRISE_FUZZ replaces this by libFuzzer.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kMutationsPerSeed = 400;
constexpr std::size_t kMaxSeedBytes = 1024 * 1024;

void run(const std::string& input) {
    // A copy of exactly this size: a read past its end is seen by ASan.
    const std::vector<std::uint8_t> bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

void mutate(std::string& text, std::mt19937& random) {
    const auto at = [&] { return random() % (text.size() + 1); };
    switch (random() % 5) {
        case 0:
            if (!text.empty()) text[at() % text.size()] = static_cast<char>(random());
            break;
        case 1:
            if (!text.empty()) text[at() % text.size()] ^= static_cast<char>(1 << (random() % 8));
            break;
        case 2: text.insert(at(), 1, static_cast<char>(random())); break;
        case 3:
            if (!text.empty()) text.erase(at() % text.size(), 1 + random() % 8);
            break;
        default: {
            const std::string piece = text.substr(at() % (text.size() + 1), random() % 32);
            text.insert(at(), piece);
        }
    }
}

std::vector<std::string> read_seeds(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.is_regular_file() && entry.file_size() <= kMaxSeedBytes) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<std::string> seeds;
    for (const auto& file : files) {
        std::ifstream in(file, std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return seeds;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2 || !std::filesystem::is_directory(arguments[1])) {
        std::fprintf(stderr, "usage: %s FOLDER-OF-SEEDS\n", arguments[0]);
        return 2;
    }
    const std::vector<std::string> seeds = read_seeds(arguments[1]);
    if (seeds.empty()) {
        std::fprintf(stderr, "%s holds no seeds\n", arguments[1]);
        return 1;
    }
    std::mt19937 random(20251012);
    for (const std::string& seed : seeds) {
        run(seed);
        for (int i = 0; i < kMutationsPerSeed; ++i) {
            std::string mutated = seed;
            const unsigned changes = 1 + static_cast<unsigned>(random() % 4);
            for (unsigned change = 0; change < changes; ++change) mutate(mutated, random);
            run(mutated);
        }
    }
    std::printf("%zu seeds, %zu inputs\n", seeds.size(), seeds.size() * (kMutationsPerSeed + 1));
    return 0;
}
