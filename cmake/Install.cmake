# `cmake --install` and `cpack` (a .deb). The program is the one target that is installed.
include(GNUInstallDirs)

if(NOT TARGET signalbox)
  return()
endif()

install(TARGETS signalbox RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(PROGRAMS ${CMAKE_SOURCE_DIR}/tools/demo-certs DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/signalbox)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The prefix is chosen when it is installed (--prefix, cpack), and the unit must name it. Below /usr the configuration is
# in /etc, as everywhere on Debian. file(INSTALL) honours DESTDIR.
set(SB_PACKAGING ${CMAKE_SOURCE_DIR}/packaging)
install(CODE "
  set(SB_BIN_DIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
  set(SB_ETC_DIR \"\${CMAKE_INSTALL_PREFIX}/etc/signalbox\")
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(SB_ETC_DIR /etc/signalbox)
  endif()
  configure_file(\"${SB_PACKAGING}/signalbox.service.in\" \"${CMAKE_BINARY_DIR}/signalbox.service\" @ONLY)
  file(INSTALL \"${CMAKE_BINARY_DIR}/signalbox.service\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/systemd/system\")
  # An installed node keeps its data in one place, wherever it or `signalbox ctl` is started.
  file(READ \"${CMAKE_SOURCE_DIR}/etc/signalbox.conf\" SB_CONF)
  string(REPLACE \"data_dir = \\\"data\\\"\" \"data_dir = \\\"/var/lib/signalbox\\\"\" SB_CONF \"\${SB_CONF}\")
  file(WRITE \"${CMAKE_BINARY_DIR}/signalbox.conf\" \"\${SB_CONF}\")
  file(INSTALL \"${CMAKE_BINARY_DIR}/signalbox.conf\" \"${CMAKE_SOURCE_DIR}/etc/acl.conf\" DESTINATION \"\${SB_ETC_DIR}\")
")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME signalbox)
set(CPACK_PACKAGE_CONTACT "Signalbox maintainers <maintainers@signalbox.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "MQTT broker for 3.1, 3.1.1 and 5.0")
set(CPACK_SET_DESTDIR ON)  # the prefix stays /usr, not a temporary folder
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, openssl")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/conffiles ${CMAKE_SOURCE_DIR}/packaging/postinst
  ${CMAKE_SOURCE_DIR}/packaging/prerm ${CMAKE_SOURCE_DIR}/packaging/postrm)
include(CPack)
