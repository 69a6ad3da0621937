// Goes on with a text, and shows it as it is made: generate MODEL PROMPT [TOKENS]
#include <hearth/pipeline.h>

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: generate MODEL PROMPT [TOKENS]\n";
    return 2;
  }
  try {
    auto pipe = hearth::Pipeline::Load(argv[1], "text-generation");
    hearth::GenerationOptions options;
    options.max_new_tokens = argc > 3 ? static_cast<uint32_t>(std::atoi(argv[3])) : 40;
    options.on_text = [](std::string_view piece) {
      std::cout << piece << std::flush;
      return true;
    };
    hearth::GeneratedText made = pipe.Generate(argv[2], options);
    std::cout << "\n" << made.generated_tokens << " tokens\n";
  } catch (const hearth::Error& error) {
    std::cerr << "generate: " << error.message() << "\n";
    return 1;
  }
}
