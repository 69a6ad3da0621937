// Goes on with every line of standard input, all at once, and from several threads: batch MODEL
#include <hearth/pipeline.h>

#include <iostream>
#include <string>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: batch MODEL\n";
    return 2;
  }
  try {
    const auto pipe = hearth::Pipeline::Load(argv[1], "text-generation");
    std::vector<std::string> prompts;
    for (std::string line; std::getline(std::cin, line);) prompts.push_back(line);
    hearth::GenerationOptions options;
    options.max_new_tokens = 12;
    std::vector<hearth::GeneratedText> made = pipe.Generate(prompts, options);

    // The same from one thread a prompt: a pipeline may be shared.
    std::vector<std::string> alone(prompts.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < prompts.size(); ++i) {
      threads.emplace_back([&, i] { alone[i] = pipe.Generate(prompts[i], options).text; });
    }
    for (std::thread& thread : threads) thread.join();
    for (size_t i = 0; i < prompts.size(); ++i) {
      std::cout << prompts[i] << made[i].text << (made[i].text == alone[i] ? "" : " (differs)")
                << "\n";
    }
  } catch (const hearth::Error& error) {
    std::cerr << "batch: " << error.message() << "\n";
    return 1;
  }
}
