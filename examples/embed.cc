// Sentences as vectors, and how near each is to the first: embed MODEL TEXT TEXT...
#include <hearth/pipeline.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 4) {
    std::cerr << "usage: embed MODEL TEXT TEXT...\n";
    return 2;
  }
  try {
    auto pipe = hearth::Pipeline::Load(argv[1], "feature-extraction");
    std::vector<std::string> texts(argv + 2, argv + argc);
    hearth::Embeddings vectors = pipe.Embed(texts);
    std::printf("%zu x %zu\n", vectors.rows(), vectors.columns());
    for (size_t i = 1; i < vectors.rows(); ++i) {
      std::printf("%.4f %s\n", vectors.Cosine(0, i), texts[i].c_str());
    }
  } catch (const hearth::Error& error) {
    std::cerr << "embed: " << error.message() << "\n";
    return 1;
  }
}
