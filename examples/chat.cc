// A conversation: every line of standard input is answered. chat MODEL
#include <hearth/pipeline.h>

#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: chat MODEL\n";
    return 2;
  }
  try {
    auto pipe = hearth::Pipeline::Load(argv[1]);
    std::vector<hearth::Message> messages = {{"system", "You answer in few words."}};
    hearth::GenerationOptions options;
    options.max_new_tokens = 24;
    for (std::string line; std::getline(std::cin, line);) {
      messages.push_back({"user", line});
      std::string answer = pipe.Chat(messages, options).text;
      std::cout << answer << std::endl;
      messages.push_back({"assistant", answer});
    }
  } catch (const hearth::Error& error) {
    std::cerr << "chat: " << error.message() << "\n";
    return 1;
  }
}
