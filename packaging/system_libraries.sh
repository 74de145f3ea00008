#!/usr/bin/env bash
# Install the system libraries that Qt and the tests need on Debian and Ubuntu.
# Elsewhere, or without the right to install, say in one sentence what is needed and go on.
set -u
[ "$(uname -s)" = Linux ] || exit 0
window="libegl1 libgl1 libx11-6 libbrotli1 libdbus-1-3 libfontconfig1 libfreetype6 libglib2.0-0 libgssapi-krb5-2 libxkbcommon0
 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-sync1
 libxcb-xfixes0 libxcb-xkb1 libxkbcommon-x11-0 libx11-xcb1 libxcb-util1"
netron="libnss3 libasound2 libxcomposite1 libxdamage1 libxrandr2 libxtst6 libxkbfile1 libgbm1 libxcb-dri3-0 libexpat1"
tests="xvfb xauth xdotool xdg-utils desktop-file-utils shared-mime-info libglib2.0-bin fonts-dejavu-core procps python3-venv"
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "Inspector's window needs Qt's usual X11 libraries (libxcb-*, libxkbcommon, libEGL, libGL, fontconfig, dbus, nss); install them with your system's package manager if it does not start."
  exit 0
fi
have() { dpkg-query -W -f '${db:Status-Status} ' "$1" "$1t64" 2>/dev/null | grep -qw installed; }
missing=""
for name in $window $netron $tests; do have "$name" || missing="$missing $name"; done
[ -z "$missing" ] && exit 0
sudo=""
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo="sudo -n"
  else echo "Please install these system packages, then run this again if the window or a test does not start: apt-get install$missing"; exit 0; fi
fi
echo "Installing system packages:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -o DPkg::Lock::Timeout=120 update -qq || true
# Ubuntu renamed some libraries (…t64); a name that does not exist there must not keep the others from being installed.
known=""
for name in $missing; do
  if apt-cache show "$name" >/dev/null 2>&1; then known="$known $name"
  elif apt-cache show "${name}t64" >/dev/null 2>&1; then known="$known ${name}t64"; fi
done
$sudo apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends $known >/dev/null ||
  echo "Some system packages could not be installed:$known"
exit 0
