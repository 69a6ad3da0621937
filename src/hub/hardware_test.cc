#include "hub/hardware.h"

#include "hub/internal/scratch_hub_test.h"

namespace hearth::hub {
namespace {

using inspector::Device;
using inspector::DeviceKind;
using inspector::ParseDevice;

class HardwareTest : public ScratchHubTest {
 protected:
  std::vector<std::string> NamesOf(const Actor& actor) {
    std::vector<std::string> names;
    for (const Device& device : HardwareOf(hub_->db(), actor.user_id)) names.push_back(device.name);
    return names;
  }
  Code AddFault(const Device& device) {
    try {
      AddHardware(hub_->db(), alice_.user_id, device);
    } catch (const Error& error) {
      return error.code();
    }
    return Code::kInternal;
  }
};

TEST_F(HardwareTest, BelongsToItsUserAndKeepsItsOrder) {
  AddHardware(hub_->db(), alice_.user_id, ParseDevice("my box:24GiB:400:unified"));
  AddHardware(hub_->db(), alice_.user_id, ParseDevice("RTX 4090"));
  EXPECT_EQ(NamesOf(alice_), (std::vector<std::string>{"my box", "RTX 4090"}));
  EXPECT_TRUE(NamesOf(bob_).empty());
  EXPECT_TRUE(HardwareOf(hub_->db(), 0).empty());
  Device own = HardwareOf(hub_->db(), alice_.user_id)[0];
  EXPECT_EQ(own.kind, DeviceKind::kUnified);
  EXPECT_EQ(own.memory_bytes, uint64_t{24} << 30);
  EXPECT_EQ(own.bandwidth_gbs, 400);
  RemoveHardware(hub_->db(), alice_.user_id, "MY BOX");
  EXPECT_EQ(NamesOf(alice_), std::vector<std::string>{"RTX 4090"});
  SaveHardware(hub_->db(), alice_.user_id, {});
  EXPECT_TRUE(NamesOf(alice_).empty());
}

TEST_F(HardwareTest, IsKeptOverARestart) {
  SaveHardware(hub_->db(), alice_.user_id, {ParseDevice("M1 8GB"), ParseDevice("cpu:32GiB")});
  Reopen();
  EXPECT_EQ(NamesOf(alice_), (std::vector<std::string>{"M1 8GB", "cpu"}));
}

TEST_F(HardwareTest, OneNameIsListedOnceAndTheListEnds) {
  AddHardware(hub_->db(), alice_.user_id, ParseDevice("box:1GiB"));
  EXPECT_EQ(AddFault(ParseDevice("BOX:2GiB")), Code::kConflict);
  for (size_t i = 1; i < kMaxDevicesOfUser; ++i)
    AddHardware(hub_->db(), alice_.user_id, ParseDevice("box" + std::to_string(i) + ":1GiB"));
  EXPECT_EQ(AddFault(ParseDevice("one more:1GiB")), Code::kConflict);
  std::vector<Device> many(kMaxDevicesOfUser + 1, ParseDevice("same:1GiB"));
  SaveHardware(hub_->db(), alice_.user_id, many);  // one, as they have one name
  EXPECT_EQ(NamesOf(alice_).size(), 1u);
  for (size_t i = 0; i < many.size(); ++i) many[i].name += std::to_string(i);
  EXPECT_THROW(SaveHardware(hub_->db(), alice_.user_id, many), Error);
  EXPECT_EQ(NamesOf(alice_), std::vector<std::string>{"same"});
}

TEST_F(HardwareTest, WhatNobodyCanMeanIsRefused) {
  Device device = ParseDevice("box:1GiB");
  auto refused = [&](auto change) {
    Device wrong = device;
    change(wrong);
    return AddFault(wrong) == Code::kInvalidArgument;
  };
  EXPECT_TRUE(refused([](Device& d) { d.name = " "; }));
  EXPECT_TRUE(refused([](Device& d) { d.name = "a:b"; }));
  EXPECT_TRUE(refused([](Device& d) { d.name = "a\nb"; }));
  EXPECT_TRUE(refused([](Device& d) { d.name = std::string(101, 'a'); }));
  EXPECT_TRUE(refused([](Device& d) { d.memory_bytes = 1000; }));
  EXPECT_TRUE(refused([](Device& d) { d.memory_bytes = UINT64_MAX; }));
  EXPECT_TRUE(refused([](Device& d) { d.bandwidth_gbs = -1; }));
  EXPECT_TRUE(refused([](Device& d) { d.bandwidth_gbs = 1e300; }));
  EXPECT_TRUE(NamesOf(alice_).empty());
}

TEST_F(HardwareTest, JsonSaysTheSameDevice) {
  for (const char* text : {"RTX 4090", "box:24GiB:400", "box:1000MB:cpu", "ram box:3GiB:gpu",
                           "mac:18GiB:150.5:unified"}) {
    Device device = ParseDevice(text);
    Device again = DeviceFromJson(ToJson(device));
    EXPECT_EQ(again.name, device.name) << text;
    EXPECT_EQ(again.kind, device.kind) << text;
    EXPECT_EQ(again.memory_bytes, device.memory_bytes) << text;
    EXPECT_EQ(again.bandwidth_gbs, device.bandwidth_gbs) << text;
  }
  // Of the table by its name alone; with another memory it is the user's own.
  EXPECT_EQ(DeviceFromJson(Json::Obj({{"name", "rtx 4090"}})).maker, "NVIDIA");
  Json other = Json::Obj({{"name", "RTX 4090"}, {"memory_bytes", int64_t{48} << 30}});
  EXPECT_EQ(DeviceFromJson(other).maker, "");
  for (const char* text :
       {"{}", "[]", "5", R"({"name": "x"})", R"({"name": "x", "memory_bytes": "24GiB"})",
        R"({"name": "x", "memory_bytes": 2000000, "kind": "abacus"})",
        R"({"name": "x", "memory_bytes": 2000000, "bandwidth_gbs": "fast"})"})
    EXPECT_THROW(DeviceFromJson(Json::Parse(text)), Error) << text;
}

}  // namespace
}  // namespace hearth::hub
