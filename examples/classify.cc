// Which label fits each text: classify MODEL TEXT...
#include <hearth/pipeline.h>

#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: classify MODEL TEXT...\n";
    return 2;
  }
  try {
    hearth::PipelineOptions options;
    options.precision = "fp32";
    auto pipe = hearth::Pipeline::Load(argv[1], "text-classification", options);
    std::vector<std::string> texts(argv + 2, argv + argc);
    std::vector<hearth::Answer> answers = pipe(texts);
    for (size_t i = 0; i < texts.size(); ++i) {
      const hearth::LabelScore& best = answers[i].labels().front();
      std::cout << best.label << " " << best.score << " " << texts[i] << "\n";
    }
  } catch (const hearth::Error& error) {
    std::cerr << "classify: " << error.message() << "\n";
    return 1;
  }
}
