import _ from "lo\x64ash";
_.x();
