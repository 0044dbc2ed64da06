// What a forked child must not carry on: a lock belongs to the open file, which the child shares, and would outlive its owner
// in it. Private to the room.
#pragma once

namespace reprise {

// While it lives, a child closes the descriptor as soon as it is forked. Destroyed before the descriptor is closed here.
class OwnDescriptor {
public:
    OwnDescriptor() = default;
    explicit OwnDescriptor(int fd);
    OwnDescriptor(OwnDescriptor&& other) noexcept;
    OwnDescriptor& operator=(OwnDescriptor&& other) noexcept;
    ~OwnDescriptor();

private:
    int fd_ = -1;
};

}  // namespace reprise
