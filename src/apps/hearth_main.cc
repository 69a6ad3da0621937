#include "cli/command.h"

int main(int argc, char** argv) { return hearth::cli::RunMain(argc, argv); }
