#include "storage/xet/xet_hash.h"

#include <gtest/gtest.h>

#include "storage/xet/internal/test_bytes.h"

namespace hearth::storage {
namespace {

using internal::SplitMixBytes;

TEST(XetHash, TextSwapsEachGroupOfEightBytes) {
  std::string raw;
  for (int i = 0; i < 32; ++i) raw += static_cast<char>(i);
  XetHash hash = XetHash::FromRaw(raw);
  EXPECT_EQ(hash.Text(), "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918");
  EXPECT_EQ(XetHash::FromText(hash.Text()), hash);
  EXPECT_EQ(hash.Tail(), 0x1f1e1d1c1b1a1918u);
}

TEST(XetHash, TextMustBeExactlySixtyFourLowerHexDigits) {
  std::string good(64, 'a');
  EXPECT_TRUE(XetHash::FromText(good));
  EXPECT_FALSE(XetHash::FromText(good + "a"));
  EXPECT_FALSE(XetHash::FromText(good.substr(1)));
  EXPECT_FALSE(XetHash::FromText(std::string(64, 'A')));
  EXPECT_FALSE(XetHash::FromText(std::string(64, 'g')));
  EXPECT_FALSE(XetHash::FromText(""));
}

TEST(XetHash, Sha256IsStoredSoThatItsTextIsTheUsualHex) {
  auto sha256 = Sha256::FromHex("680d4bacda14246b9919daa99be4152a6ae16d0160feacd5aebd55b880c67f4d");
  XetHash stored = XetHash::FromSha256(*sha256);
  EXPECT_EQ(HexEncode(stored.raw()),
            "6b2414daac4b0d682a15e49ba9da1999d5acfe60016de16a4d7fc680b855bdae");
  EXPECT_EQ(stored.Text(), sha256->Hex());
  EXPECT_EQ(stored.ToSha256(), *sha256);
}

TEST(XetHash, ChunkHashesMatchThePublishedVectors) {
  struct Vector {
    std::string bytes;
    const char* text;
  } vectors[] = {
      {"", "e0f2cf784e7e5f10c34f84af150e9a5ff9664216debad915364d741049870f67"},
      {"a", "a4d4ed80fcb2fe5177fc59321d3e6f90faf23e35a48d58303114bf073f34178a"},
      {"Hello, World!", "45143e5337d3e15599eb0f1370a9ee88e5114a633b3dd960ee673dbc191bf089"},
      {std::string(1024, 'a'), "246fbfadba7278dfa7fa8ba00416bc475b931776daf25e1adaa3128673a4eb59"},
      {std::string(1025, 'a'), "9312ae66a6ea6bcd55c84e721efdb6a0f9456e555e5a9ddebc31cecf1d313821"},
      {SplitMixBytes(1, 65536), "631286fa94685f6384eabdde6d08b20fa5defcbff7d2d70843bd29a158aad339"},
      {SplitMixBytes(2, 131072),
       "0d4860f261055d892fca471f0bb5d1c41653d9d30a3d6666b17a3d95723d45e5"},
      {SplitMixBytes(3, 2049), "439fcde652a2ee4ccbd531c8a0381dddd1a7f3f232bae3d95776ecc7afccd0de"},
  };
  for (const Vector& v : vectors) EXPECT_EQ(HashChunk(v.bytes).Text(), v.text) << v.bytes.size();
}

TEST(XetHash, ProtectedHashDependsOnTheKey) {
  XetHash chunk = HashChunk("a");
  Blake3Key one = {1};
  Blake3Key two = {2};
  EXPECT_NE(ProtectHash(one, chunk), ProtectHash(two, chunk));
  EXPECT_NE(ProtectHash(one, chunk), chunk);
  EXPECT_EQ(HexEncode(Blake3Keyed(Blake3Key{}, SplitMixBytes(3, 2049)).raw()),
            "9a83e0692a196014a3e782af53f254bb2176c997fd7dd17c3f1c5df1c5b7503d");
}

struct MerkleVector {
  int leaves;
  const char* xorb;
  const char* file;
  const char* verification;
};
const MerkleVector kMerkleVectors[] = {
    {0, "0000000000000000000000000000000000000000000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "b81ce0cc7ce434c719c5f31801bc0825ead2a9ebae7419605afc00726961e5d9"},
    {1, "9f7c881f85846c8f10d8d9bc6526d6e6de67a3c825cccb00f21d56c02606c905",
     "d2c87a5fc7abbe6191cd180cd239c008925f709ebc6b2837ce23fb50217dd30d",
     "7ba0ceb9777ca5ea12dffd8c16c701de233f7bbbb7a286f93743eaef1cde55ff"},
    {2, "589c1ed0de2da0412487bc9dd79202926fac6e8a98e6de9222a488d074923663",
     "8031b552dbc71ec3daaa85a5838c7fb2e7d86107ffb81f10d91b2f06acc04be5",
     "81d16d9d9e170c846b28d7966042523182b5d54ce98eedc8bc0f9a3cb74fc116"},
    {3, "01dc3a93672123a275cc2e9c7dc1b46bb75b678652752d2cb0e38e03a5b2e9d4",
     "53ea22ff7086ee7449745b5252b0f764cebbfdfad2d25837d3944825690dc21c",
     "bad6cce680ca40e50f96f270584ff7e25542b5e7912e7efb326d91ae11540acf"},
    {4, "a820acc8250a3d421b0c2416a92e106ea3248e13cd5be1c0b775464e21a72326",
     "e9cfb2af50c4044bf31dc33e0b82d8af77b8a6dc7b9b3b518e6c3bc1425d0f0b",
     "30d205b07712c5147ad92fc15964280dbc4a2c8985fc1c12557e66086078f9a6"},
    {5, "0882e268f48a651090319224d34728e6b024649e0f3bdbabf72b46db2e922911",
     "66d738dccb73551264e2b2ff1316591fdafc0776ff1d593c8d4cb14226da98c3",
     "a8f5359c68563b36f3b107291232170f005f4d5ff2c0ae6be5ed1f6233830dd1"},
    {8, "9115ae2f11e76c560faf5bb22f2e24517e0836efa214b94f27888d6dd1b19781",
     "ba0931c1896251eec7980e44bc78a19936f6e11676a757d89f7a4293216361bd",
     "5b8fc786f78fea7b18c5e1f7640f3f73706c468c479adf7bc288d22182053ca6"},
    {9, "14b10caea50c604b4b7c4db688fd6f35afaedfb6034abfc83589ea91b0bc4db3",
     "f0f97114456352499c9ec3e028b50ef0c1cffa2ef9436c0c7a71a933d271c008",
     "d0fc613e5ce4fcb88385ab5ea597168d19170996aaa25533f056ea903a611d52"},
    {10, "7daf2529c36b4bcc051a311a43d2b6213bf13b0e0405f90cf0a6ee6cc641c68d",
     "66149f3f4572c782ffd32f8d0a1012ed2c6ca25c28319af0c511ed032266fe0a",
     "d4fa39eeb2e7dc6f7ef68bf6650f80fda28ce719912b08522f7dd2b01dee6b1b"},
    {11, "4f9c9a934ebf6cf096ac271c7b3a4df250b8bf6d5c82d4b44c35a1d2115db517",
     "39fa4a2fe9e93abd5ea76a45066c3d4ba340efa2f95d5436f5f4da5cd92ecd23",
     "40ff996478c29f150b599752b91b9de70b65530a46cd6b182946f4c6a72d8324"},
    {16, "016ef0809b4de4201c365590050a524674866f67dc1cdb93ca8b36d7e1a5ccdf",
     "252f4095837c48a0acd0c2dbc65ea6b9c478087c42d93c5f608b87f979dd134a",
     "5b9040371509654909dfe95fafe6e4cd49a60314016ab5d12d22745a942bc2ab"},
    {17, "5eff48c7e1ad6a7e470e2a48c1337200dd34905afdae373a18aa81b3a8a87d08",
     "77031fe1d1d6ea2420d584c7a809c08aa5e1723409af94f23e342d5c30123097",
     "403ff635c2439f593aeb70ee279ccf3156b695b713540ecc877324f93cf555dd"},
    {30, "1edd8c15b2ae8d8ccbed42cb110e45c3b54896fbbc2dcd77984b715eb5c53202",
     "498c6058468878392d4a1815b92416b58475437a95ea1be6da67f10dbaf06113",
     "1e069ae6b3d53dd0aa4266d7a223923997da1d1be609ed9423f378732ca22384"},
    {100, "fb3ee285f325b479135e21f7a6f1a645fda2053623313fc0bcf2aed5a8d05ee0",
     "0efcc5d142d9493a08854d83c7074a21fbffcf6db809fa954b6ef58ab4a7b138",
     "7270d6bb9d946b68ae0942dbcc17c0ba0fc2f9d6ba7f2dc4c317c4f63de82984"},
    {1000, "8af5d6c3fa487fb9c9ab54c05474d037a7489fee8eb5a6df3601be0b509eb7a8",
     "9c6bc6c81c5a94ce4bc373dd35d1fbffca53ba29588dc4a7020cc748efb01721",
     "e99c88435b0afcd8884e8f9eee8441be2720c190d3b229808ebc15a65ca22315"},
};

TEST(Merkle, RootsMatchThePublishedVectors) {
  for (const MerkleVector& v : kMerkleVectors) {
    MerkleAggregator xorb;
    MerkleAggregator file;
    std::vector<XetHash> hashes;
    for (uint64_t i = 0; i < static_cast<uint64_t>(v.leaves); ++i) {
      XetHash hash = XetHash::FromRaw(SplitMixBytes(7000 + i, 32));
      uint64_t bytes = ((i * 37 + 1) * 1000 % 131072) + 1;
      xorb.Add(hash, bytes);
      file.Add(hash, bytes);
      hashes.push_back(hash);
    }
    EXPECT_EQ(xorb.leaves(), static_cast<uint64_t>(v.leaves));
    EXPECT_EQ(xorb.FinishXorb().Text(), v.xorb) << v.leaves;
    EXPECT_EQ(file.FinishFile().Text(), v.file) << v.leaves;
    EXPECT_EQ(HashVerification(hashes).Text(), v.verification) << v.leaves;
  }
}

// The first 24 bytes of 20 leaves, as text; the tail decides where groups close.
const char* const kLeafHeads[] = {
    "83d0dbb996ee592559e67c8424eab64b1340193ca5ee9507",
    "460776b3d8680a0978192537f0dceed7eaeb87daa101c004",
    "b56cd76f96b91a1610a9b6b1ff8e5f8d50c95eab8cbbb4ff",
    "76aeef7b71c918a500f491d1152bc66f81bf9ac18d68fbae",
    "b3d4069e1ed24d5af0c315345fac0bdb2679e344506917a8",
    "e79b3da8a99dc446ba8d0e5ab9fc901d27da432ac0553575",
    "7a6db178749f910226e059a547805274c481d2cec5b214b1",
    "6e4d2cebcfc4d09ab91d55ade61b30ad098732381e11c859",
    "d84d558af03aaac5036516ae35687bcd60afc6f0935002fd",
    "d2739d8150d151046b0a6ff40536ba6bd0189e67144dcf0e",
    "062ad9e2fd1d5b54869452a1c50de0046280ebfe03398d79",
    "70da6852a873f8abbbcd26489918df3d490306b811b67285",
    "f6b07a65e6a0190b96e3be8ae4259c201ef2229c3c05425a",
    "d00a38f3404163489cc4a9bedbdb6224f1f7fd24bca3d46b",
    "5a8e62f0a71b0c8610c1ba42935109dc8162404079581617",
    "a4f89cfcbbcca392198ce258f8dd964b6d527921bddef001",
    "3e14501c8388407365856bfaece243e45a357cc4bd983f34",
    "efe474b3c70aa0022fd0bd8b6e6ff281b613c5f6b326292b",
    "a7c80548e17a7ede9225280ef19f09042b89d77120318a69",
    "e9496ac7db9ee69440fba4d049683c9e531660c4ceb45785",
};

std::pair<std::string, std::string> RootsWithTails(uint64_t offset) {
  MerkleAggregator xorb;
  MerkleAggregator file;
  uint64_t tail = offset;
  for (const char* head : kLeafHeads) {
    std::string digits =
        HexEncode({"\0\0\0\0\0\0\0", 7}) + HexEncode(std::string(1, static_cast<char>(tail)));
    XetHash leaf = *XetHash::FromText(head + digits);
    xorb.Add(leaf, 100);
    file.Add(leaf, 100);
    tail += 8;
  }
  return {xorb.FinishXorb().Text(), file.FinishFile().Text()};
}

TEST(Merkle, GroupsCloseAtTheFirstChanceOrWhenFull) {
  auto [threes, threes_file] = RootsWithTails(0);
  EXPECT_EQ(threes, "b4e93a7d904f64182237072ea88bbe2f334848ba03eae2f202f825684d62bfa2");
  EXPECT_EQ(threes_file, "4abf5344045a02dcc302ca5c18ea7b364ba809fa214be5d8b73cbe1c70318e43");
  auto [nines, nines_file] = RootsWithTails(1);
  EXPECT_EQ(nines, "d3046265fb4ad27edb6cdc4649443558866a89496a6c47d9962186a1fa784209");
  EXPECT_EQ(nines_file, "2f77484da0d15b4e8a82210ad1f3711aadcd7c75043708a503cfe17173f2d03c");
}

}  // namespace
}  // namespace hearth::storage
